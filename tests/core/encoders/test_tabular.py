"""The table encoder: what it learns from training rows, and what it makes of later ones."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from survkit.encoders.column_scaling import ColumnScaling
from survkit.encoders.tabular import TabularEncoder
from survkit.encoders.yeo_johnson import fit_yeo_johnson, yeo_johnson
from survkit.errors import CompositionError, ConfigError, DataError
from survkit.flow import ModalityInput
from survkit.losses.cox import cox_loss
from survkit.specs import ColumnSpec, InputSpec

NAN = float("nan")
AGE, STAGE = ColumnSpec("age"), ColumnSpec("stage", ("I", "II"))


def table(*columns: ColumnSpec) -> InputSpec:
    return InputSpec(kind="table", shape=(len(columns),), columns=columns)


def given(rows: list[list[float]], present: list[bool] | None = None) -> ModalityInput:
    here = torch.tensor(present) if present else torch.ones(len(rows), dtype=torch.bool)
    return ModalityInput(values=torch.tensor(rows), present=here, complete=present is None)


def features(encoder: TabularEncoder, rows: list[list[float]]) -> list[list[float]]:
    return encoder(given(rows)).summary.tolist()


def test_numbers_are_standardised_over_who_has_them() -> None:
    """Mean 2 and SD 1 of 1 and 3; missing becomes the mean and says so."""
    encoder = TabularEncoder(table(AGE), dim=None)
    encoder.fit(given([[1.0], [3.0], [NAN]]))

    assert features(encoder, [[1.0], [4.0], [NAN]]) == [[-1.0, 0.0], [2.0, 0.0], [0.0, 1.0]]


def test_only_present_subjects_are_learnt_from() -> None:
    """Rows of absent subjects hold zeros that mean nothing."""
    encoder = TabularEncoder(table(AGE), dim=None, missing="refuse")
    encoder.fit(given([[1.0], [3.0], [0.0]], present=[True, True, False]))

    assert features(encoder, [[3.0]]) == [[1.0]]


def test_levels_are_one_hot_and_unseen_ones_all_zero() -> None:
    """Level indices 0 and 1 have a feature each; 2 (unseen) and NaN (missing) have none."""
    encoder = TabularEncoder(table(STAGE), dim=None)
    encoder.fit(given([[0.0], [1.0], [NAN]]))

    expected = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 1.0]]
    assert features(encoder, [[0.0], [1.0], [2.0], [NAN]]) == expected


def test_what_was_constant_in_training_stays_off() -> None:
    """No variance, never missing: such features are 0 for later subjects, whatever they have."""
    encoder = TabularEncoder(table(AGE, ColumnSpec("weight")), dim=None)
    encoder.fit(given([[5.0, 1.0], [5.0, 3.0]]))

    assert features(encoder, [[9.0, NAN], [NAN, 3.0]]) == [
        [0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0],
    ]


def test_a_large_constant_column_has_no_variance() -> None:
    """Rounding of a mean is no variance: 0.1 a thousand times."""
    encoder = TabularEncoder(table(AGE), dim=None)
    encoder.fit(ModalityInput(torch.full((1000, 1), 0.1).double(), torch.ones(1000).bool()))

    assert features(encoder, [[7.0]]) == [[0.0, 0.0]]


def test_large_values_are_fitted_in_float64() -> None:
    """Days since 1970 of a small cohort: float32 sums would lose the SD."""
    generator = torch.Generator().manual_seed(0)
    days = 2.0e7 + torch.randint(0, 8, (500, 1), generator=generator).float()
    encoder = TabularEncoder(table(AGE), dim=None)
    encoder.fit(ModalityInput(days, torch.ones(500, dtype=torch.bool)))

    expected = days.double().std(correction=0)
    torch.testing.assert_close(encoder.scaling.scale[0].double(), expected, rtol=1e-6, atol=0)


def test_a_linear_cox_on_features_is_the_ridge_cox() -> None:
    """dim=None gives the design matrix: its minimum of loss + ridge is that of the plain matrix."""
    generator = torch.Generator().manual_seed(1)
    values = torch.randn(40, 2, generator=generator) * 3 + 1
    duration = torch.rand(40, generator=generator, dtype=torch.float64) + 0.1
    observed = torch.rand(40, generator=generator) < 0.7
    encoder = TabularEncoder(table(AGE, ColumnSpec("weight")), dim=None, missing="refuse")
    encoder.fit(ModalityInput(values, torch.ones(40, dtype=torch.bool)))

    ours = encoder(ModalityInput(values, torch.ones(40, dtype=torch.bool))).summary.double()

    double = values.double()
    plain = (double - double.mean(dim=0)) / double.std(dim=0, correction=0)
    fits = [_ridge_cox(matrix, duration, observed) for matrix in (ours, plain)]
    torch.testing.assert_close(fits[0], fits[1], rtol=1e-4, atol=1e-5)


def _ridge_cox(matrix: Tensor, duration: Tensor, observed: Tensor) -> Tensor:
    weight = torch.zeros(matrix.shape[1], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([weight], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = cox_loss(matrix @ weight, duration, observed) + 0.05 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach()


def test_yeo_johnson_agrees_with_scipy() -> None:
    """Transform and power of greatest likelihood, for a skewed column of both signs."""
    stats = pytest.importorskip("scipy.stats")
    column = torch.randn(200, generator=torch.Generator().manual_seed(0)).double().exp() - 1.0
    expected, power = stats.yeojohnson(column.numpy())

    found = fit_yeo_johnson(column)

    assert float(found) == pytest.approx(power, abs=1e-5)
    torch.testing.assert_close(
        yeo_johnson(column, torch.tensor(power).double()), torch.tensor(expected)
    )


@pytest.mark.parametrize("power", [0.0, 2.0])
def test_yeo_johnson_has_its_limits(power: float) -> None:
    """At the powers 0 and 2 one side is a logarithm."""
    column = torch.tensor([-3.0, 0.0, 3.0]).double()
    near = yeo_johnson(column, torch.tensor(power + 1e-6).double())

    torch.testing.assert_close(
        yeo_johnson(column, torch.tensor(power).double()), near, rtol=1e-4, atol=1e-4
    )


def test_the_transform_makes_a_log_normal_column_symmetric() -> None:
    """Skewness falls from over 4 to below 0.5, and order is kept beyond the training range."""
    column = torch.randn(400, 1, generator=torch.Generator().manual_seed(0)).exp() * 100
    encoder = TabularEncoder(table(AGE), dim=None, transform="yeo-johnson", missing="refuse")
    encoder.fit(ModalityInput(column, torch.ones(400, dtype=torch.bool)))

    scaled = encoder(ModalityInput(column, torch.ones(400).bool())).summary[:, 0].double()
    beyond = torch.tensor(features(encoder, [[0.0], [1e3], [1e4], [1e5]]))[:, 0]

    raw = (column - column.mean()) / column.std(correction=0)
    assert float((raw**3).mean()) > 4
    assert abs(float((scaled**3).mean())) < 0.5
    assert float(scaled.mean()) == pytest.approx(0, abs=1e-4)
    assert float(scaled.std(correction=0)) == pytest.approx(1, abs=1e-4)
    assert bool((beyond.diff() > 0).all())
    assert bool(beyond.isfinite().all())


def test_before_fitting_it_refuses() -> None:
    """The message says what to call."""
    encoder = TabularEncoder(table(AGE))

    with pytest.raises(DataError, match=r"knows no training subjects yet: call .* fit\(input\)"):
        encoder(given([[1.0]]))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[NAN, 0.0], [NAN, 1.0]], "column 'age' is missing for every training subject"),
        ([[float("inf"), 0.0], [1.0, 1.0]], "column 'age' holds an infinite value"),
        ([[1.0, 0.5], [2.0, 1.0]], "column 'stage' must hold level indices 0 to 2 .* not 0.5"),
        ([[1.0, 3.0], [2.0, 1.0]], "column 'stage' must hold level indices 0 to 2 .* not 3"),
        ([[1.0, 0.0], [NAN, 1.0]], r"column 'age' is missing for row 1 .*missing=\"indicator\""),
    ],
)
def test_bad_training_tables_are_refused(rows: list[list[float]], message: str) -> None:
    """Each sentence names the column."""
    with pytest.raises(DataError, match=message):
        TabularEncoder(table(AGE, STAGE), missing="refuse").fit(given(rows))


def test_nobody_has_the_modality() -> None:
    """A training fold without a single row is refused."""
    with pytest.raises(DataError, match="none of them has this modality"):
        TabularEncoder(table(AGE)).fit(given([[1.0]], present=[False]))


def test_a_missing_value_is_refused_later_too() -> None:
    """missing="refuse" holds for new subjects."""
    encoder = TabularEncoder(table(AGE), missing="refuse")
    encoder.fit(given([[1.0], [2.0]]))

    with pytest.raises(DataError, match="column 'age' is missing for row 1"):
        encoder.eval()(given([[1.0], [NAN]]))


def test_wrong_settings_are_refused() -> None:
    """Choices are named."""
    with pytest.raises(ConfigError, match=r"missing must be one of .*'indicator'.* not 'drop'"):
        ColumnScaling((AGE,), missing="drop", transform="standard")
    with pytest.raises(ConfigError, match=r"transform must be one of .* not 'log'"):
        ColumnScaling((AGE,), missing="refuse", transform="log")
    with pytest.raises(ConfigError, match="dim must be at least 1, or None"):
        TabularEncoder(table(AGE), dim=0)
    with pytest.raises(CompositionError, match=r"needs a table .* this one is a vector; vector"):
        TabularEncoder(InputSpec(kind="vector", shape=(3,)))


def test_the_linear_path_hands_features_on_beside_the_hidden_layer() -> None:
    """The token is the features, as without hidden layers, then the hidden layer's output."""
    torch.manual_seed(0)
    plain = TabularEncoder(table(AGE), dim=None)
    beside = TabularEncoder(table(AGE), hidden=[5], dim=None, linear_path=True)
    deep = TabularEncoder(table(AGE), hidden=[5], dim=None)
    for encoder in (plain, beside, deep):
        encoder.fit(given([[1.0], [3.0], [NAN]]))
    own = beside.network[0].network.state_dict()
    deep.network.load_state_dict(own)
    rows = [[1.0], [4.0], [NAN]]

    assert beside.encoding.dim == 2 + 5
    expected = [a + b for a, b in zip(features(plain, rows), features(deep, rows), strict=True)]
    assert features(beside, rows) == expected


def test_a_linear_path_beside_nothing_is_refused() -> None:
    """Without hidden layers it would hand every feature on twice."""
    with pytest.raises(ConfigError, match="linear_path needs hidden layers"):
        TabularEncoder(table(AGE), linear_path=True)

"""The figure of a picture: maps of attention over it, what weights of noise leave, prediction."""

from __future__ import annotations

import base64
from textwrap import fill
from typing import TYPE_CHECKING, Any

from survkit.explaining.curve_panels import draw_attention, draw_course, ends_of
from survkit.explaining.image_colours import (
    OPACITY,
    ORANGE,
    as_grey,
    laid_over,
    picture_colours,
    top_of,
)
from survkit.explaining.image_grid import Floats, reduced, upsampled
from survkit.explaining.image_reading import reading_of
from survkit.explaining.image_view import ImageView, ShownMap
from survkit.explaining.outline import draw_outline
from survkit.explaining.subject_figure import LIMIT, SubjectPicture
from survkit.report.figure import GREY, SKY, canvas
from survkit.report.figure import picture as vector_picture
from survkit.report.raster import raster

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec

WIDTH, TALLEST = 5.2, 3.4
"""Inches: of the figure, and of a large picture at most."""
MOST_PIXELS = 640
"""A side of what is drawn; larger pictures are reduced by means of areas."""
_LARGE, _SMALL = 3, 2
"""Columns of six."""
_LINE, _HEAD, _CURVE = 0.15, 0.45, 1.9
_BAR, _TICKS = 0.12, 0.4
"""Inches of the scale, and of what stands below it."""
_BESIDE = 0.6
"""What the labels of curves between the columns take of the width."""
_LETTERS = 37


def image_picture(view: ImageView) -> SubjectPicture:
    """Draw one subject and encoder."""
    heights = _heights(view)
    with canvas(WIDTH, _HEAD + sum(heights) + _TICKS) as figure:
        figure.suptitle(f"{view.subject}: {view.why}", fontsize=11, x=0.02, ha="left")
        grid = figure.add_gridspec(len(heights), 6, height_ratios=heights)
        _Drawing(figure, grid, view).draw()
        small, media = raster(figure, limit=LIMIT)
        told = "; ".join(view.words(one) + _left(one) for one in view.maps)
        alt = (
            f"Subject {view.subject}, {view.why}. Attention over the picture {view.modality}: "
            f"{told}. {ends_of(view.course)}"
        )
        reading = reading_of(view)
        drawn = vector_picture(figure, alt=alt, caption=" ".join(reading))
    svg = base64.b64decode(drawn.source.partition(",")[2])
    return SubjectPicture(svg, small, media, alt, " ".join(reading), reading)


def _left(shown: ShownMap) -> str:
    """Say how alike the map is when all weights are noise."""
    if not shown.randomised or shown.randomised[-1].correlation is None:
        return ""
    return f", rank correlation {shown.randomised[-1].correlation:.2f} to that of shuffled weights"


def _panels(view: ImageView) -> int:
    return 1 + len(view.maps)


def _heights(view: ImageView) -> list[float]:
    """Return the rows: large pictures in pairs, scale, small pictures of every map, curves."""
    down, across = view.picture.shape[1:]
    wide = WIDTH - (_BESIDE if _panels(view) % 2 else 0)
    large = min(TALLEST, wide / 2 * down / across) + 3 * _LINE
    small = min(TALLEST, wide / 3 * down / across) + 2 * _LINE
    rows = [large] * ((_panels(view) + 1) // 2) + [_BAR]
    rows += [small for one in view.maps if one.randomised]
    rows += [_CURVE] * (view.tokens is not None)
    return rows + [_CURVE] * (_panels(view) % 2 == 0)


class _Drawing:
    """One figure while it is drawn."""

    def __init__(self, figure: Figure, grid: GridSpec, view: ImageView) -> None:
        self.figure, self.grid, self.view = figure, grid, view
        self.colours = picture_colours(reduced(view.picture, MOST_PIXELS))
        self.grey = as_grey(self.colours)
        self.top = top_of([one.relative for one in view.maps])
        self.row = 0

    def draw(self) -> None:
        """Draw row by row."""
        self._large()
        self._scale()
        for one in self.view.maps:
            if one.randomised:
                self._small(one)
        if self.view.tokens is not None:
            draw_attention(self._next_row(), self.view.tokens)
        if _panels(self.view) % 2 == 0:
            draw_course(self._next_row(), self.view.course)

    def _next_row(self) -> Axes:
        axes = self.figure.add_subplot(self.grid[self.row, :])
        self.row += 1
        return axes

    def _cell(self, number: int, span: int) -> Axes:
        per_row = 6 // span
        row, column = self.row + number // per_row, number % per_row * span
        return self.figure.add_subplot(self.grid[row, column : column + span])

    def _large(self) -> None:
        """Draw the picture, every map over it, and the curves where a place is left."""
        self._picture(self._cell(0, _LARGE), self.colours, self.view.modality)
        for number, one in enumerate(self.view.maps, start=1):
            words = self.view.words(one)
            self._picture(self._cell(number, _LARGE), self._over(one.weight), words)
        if _panels(self.view) % 2:
            axes = self._cell(_panels(self.view), _LARGE)
            draw_course(axes, self.view.course)
            axes.set_xlabel(fill(axes.get_xlabel().replace("\n", "; "), 32), fontsize=8.5)
        self.row += (_panels(self.view) + 1) // 2

    def _over(self, weight: Floats) -> Any:
        down, across, _ = self.grey.shape
        return laid_over(self.grey, upsampled(weight * weight.size, (down, across)), self.top)

    def _picture(self, axes: Axes, colours: Any, words: str, *, letters: int = _LETTERS) -> None:
        """Draw a picture in its own aspect, with the region's outline, and words above."""
        _, down, across = self.view.picture.shape
        axes.imshow(colours, extent=(0, across, down, 0), interpolation="antialiased")
        axes.set_title(fill(words, letters), fontsize=8.5, fontweight="normal")
        axes.set_anchor("NW")
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set(visible=True, color=GREY, linewidth=0.4)
        if self.view.mask is not None:
            draw_outline(axes, self.view.mask, (across, down), color=SKY, line=1.0)

    def _scale(self) -> None:
        """Draw the one scale of all maps."""
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import LinearSegmentedColormap, LogNorm

        full = [1 - OPACITY * (1 - part) for part in ORANGE]
        over = LinearSegmentedColormap.from_list("over", [(1.0, 1.0, 1.0), tuple(full)])
        scale = ScalarMappable(LogNorm(1, self.top), over)
        axes = self._next_row()
        bar = self.figure.colorbar(scale, cax=axes, orientation="horizontal")
        ticks = [tick for tick in (1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500) if tick <= self.top]
        bar.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
        bar.minorticks_off()
        bar.set_label("attention, × equal weights", fontsize=8.5)
        axes.tick_params(labelsize=8.5)

    def _small(self, shown: ShownMap) -> None:
        """Draw what is left of a map when more and more weights are noise."""
        for number, step in enumerate(shown.randomised):
            found = "not defined" if step.correlation is None else f"ρ {step.correlation:.2f}"
            part = "all" if step.share == 1 else f"last {step.share:.0%} of"
            words = f"{shown.name}, {part} weights shuffled: {found}"
            axes = self._cell(number, _SMALL)
            self._picture(axes, self._over(step.weight), words, letters=25)
        self.row += 1

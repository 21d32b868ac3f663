"""Modules and functions stay readable: the limits of the style guide."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

MODULE_LINES, FUNCTION_LINES, PARAMETERS = 300, 40, 7
FORBIDDEN_NAMES = {"utils.py", "util.py", "helpers.py", "common.py", "misc.py"}
_SILENT = {
    tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
    tokenize.ENDMARKER, tokenize.ENCODING,
}  # fmt: skip

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> Iterator[Function]:
    """Yield every function and method, also nested ones."""
    yield from (node for node in ast.walk(tree) if isinstance(node, Function))


def code_lines(source: str) -> set[int]:
    """Return the numbers of the lines that hold more than a comment."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _SILENT:
            found.update(range(token.start[0], token.end[0] + 1))
    return found


def docstring_lines(node: Function) -> set[int]:
    """Return the numbers of the lines of the function's docstring."""
    first = node.body[0]
    if ast.get_docstring(node) is None or first.end_lineno is None:
        return set()
    return set(range(first.lineno, first.end_lineno + 1))


def parameters(node: Function) -> int:
    """Return how many parameters a caller sees."""
    named = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    return len([each for each in named if each.arg not in ("self", "cls")])


def is_schema(name: str, node: Function) -> bool:
    """Whether the parameters are settings by design, of a component or of a command line."""
    component = node.name == "__init__" and bool(node.args.kwonlyargs)
    return component or name.startswith("survkit/cli/")


def test_no_module_is_longer_than_the_limit(modules: dict[str, Path]) -> None:
    """About 200 lines are meant, 300 are the end."""
    lengths = {name: len(path.read_text("utf-8").splitlines()) for name, path in modules.items()}

    assert {name: length for name, length in lengths.items() if length > MODULE_LINES} == {}


def test_no_function_is_longer_than_the_limit(modules: dict[str, Path]) -> None:
    """Code lines from ``def`` to the end, without docstring, comments and blank lines.

    A signature that is a schema (a row per setting) does not count, its body does.
    """
    long = {}
    for name, path in modules.items():
        source = path.read_text(encoding="utf-8")
        code = code_lines(source)
        for node in functions(ast.parse(source)):
            first = node.body[0].lineno if is_schema(name, node) else node.lineno
            span = set(range(first, (node.end_lineno or first) + 1))
            if (length := len(span & code - docstring_lines(node))) > FUNCTION_LINES:
                long[f"{name}:{node.lineno} {node.name}"] = length

    assert long == {}


def test_no_function_has_more_parameters_than_the_limit(modules: dict[str, Path]) -> None:
    """Beyond seven, a dataclass says what belongs together; settings of components are exempt."""
    wide = {
        f"{name}:{node.lineno} {node.name}": parameters(node)
        for name, path in modules.items()
        for node in functions(ast.parse(path.read_text(encoding="utf-8")))
        if parameters(node) > PARAMETERS and not is_schema(name, node)
    }

    assert wide == {}


def test_a_file_is_called_after_its_idea(modules: dict[str, Path]) -> None:
    """A drawer for everything is where ideas get lost."""
    assert [name for name in modules if Path(name).name in FORBIDDEN_NAMES] == []


def test_nothing_is_left_to_do(modules: dict[str, Path]) -> None:
    """No stub is shipped, and no exception is swallowed unseen."""
    guilty = []
    for name, path in modules.items():
        source = path.read_text(encoding="utf-8")
        if "TODO" in source or "FIXME" in source or "NotImplementedError" in source:
            guilty.append(name)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.ExceptHandler) and node.type is None:
                guilty.append(f"{name}:{node.lineno}")

    assert guilty == []

"""Arithmetic on columns, as in ``cl=1.1*(WT/70)^0.75``."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from her2sim.errors import DataError, did_you_mean

_OPERATIONS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}


def evaluate_columns(
    text: str, columns: Mapping[str, NDArray[Any]], n_records: int, where: str
) -> NDArray[np.float64]:
    """Value of an expression in numbers, column names, ``+ - * / ^`` and brackets.

    Returns
    -------
    array of shape (n_records,)

    Raises
    ------
    DataError
        If it is not such an expression, names an unknown column or gives no finite number.
    """
    try:
        tree = ast.parse(text.replace("^", "**"), mode="eval").body
    except (SyntaxError, ValueError):
        raise DataError(f"{where}: {text!r} is not a number or an expression in columns") from None

    def visit(node: ast.AST) -> Any:
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name):
            name = node.id.upper()
            if name not in columns:
                hint = did_you_mean(name, columns) if columns else "; the file has none to use"
                raise DataError(f"{where}: there is no column {node.id!r}{hint}")
            return columns[name]
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](visit(node.left), visit(node.right))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _OPERATIONS:
            return _OPERATIONS[type(node.op)](visit(node.operand))
        raise DataError(f"{where}: {text!r}: use numbers, column names, + - * / ^ and brackets")

    with np.errstate(all="ignore"):
        try:
            value = np.broadcast_to(np.asarray(visit(tree), dtype=np.float64), (n_records,))
        except DataError:
            raise
        except (ZeroDivisionError, OverflowError, TypeError, ValueError, RecursionError):
            raise DataError(f"{where}: {text!r} gives no number") from None
    if not np.isfinite(value).all():
        raise DataError(f"{where}: {text!r} is not a finite number on every row")
    return value.copy()


def split_setting(setting: str, option: str) -> tuple[str, str]:
    """Name and value of a setting as in ``cl=1.1``."""
    name, sign, value = setting.partition("=")
    if not sign or not name.strip() or not value.strip():
        raise DataError(f"{option} {setting!r}: write NAME=VALUE")
    return name.strip(), value.strip()

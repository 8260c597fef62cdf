"""The public names of a package: signatures, and the sections of docstrings."""

import inspect
import re
from collections.abc import Generator, Iterator
from enum import Enum
from types import FunctionType, ModuleType
from typing import Annotated, Any, get_args, get_origin

from support.reference.tables import code, codes, first_upper

_SECTION = re.compile(r"^(Args|Attributes|Returns|Yields|Raises):$", re.MULTILINE)
_ENTRY = re.compile(r"^ {4}(\*{0,2}\w+): ", re.MULTILINE)
_TITLES = {"Args": "Arguments"}
# Texts are left as they are.
_MODULES = re.compile(r"'[^']*'|\b(?:[a-z_]\w*\.)+(?=[A-Za-z_]\w*)")
_ENUM_VALUE = re.compile(r"<([A-Za-z_]\w*\.\w+): [^>]*>")
# The type `Flow` of the client, written out.
_FLOW = "Generator[Request | Pause | Work | Hook, Any, "
_OBJECT = re.compile(r"<[^<>]* at 0x[0-9a-f]+>|<factory>")
_LINE = 100


def describe_package(package: ModuleType) -> str:
    """Return a section for each public name of a package."""
    return "\n".join(_describe(name, getattr(package, name)) for name in public_names(package))


def public_names(package: ModuleType) -> list[str]:
    """Return the public names of a package that have a docstring: all but the version and aliases of types."""
    return [name for name in sorted(vars(package)["__all__"]) if callable(getattr(package, name))]


def _describe(name: str, value: Any) -> str:
    parts = [f"## {name}", _signature(name, value), *_docstring(value)]
    if inspect.isclass(value):
        parts += [_members(value)] if issubclass(value, Enum) else [_bases(value), *_methods(name, value)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _members(enumeration: type[Enum]) -> str:
    return "\n".join(f"- `{member.name}`: {code(repr(member.value))}" for member in enumeration)


def _bases(class_: type) -> str:
    """Return a line with the base classes of this project, whose members the class has as well."""
    named = [base.__name__ for base in class_.__bases__ if _is_ours(base) and not base.__name__.startswith("_")]
    return f"Base classes: {codes(named)}." if named else ""


def _is_ours(class_: type) -> bool:
    return class_.__module__.partition(".")[0] == "openbooking"


def _methods(name: str, class_: type) -> Iterator[str]:
    """Yield a section for each public method and property of a class, also of its private base classes."""
    private = [base for base in class_.__mro__[1:] if _is_ours(base) and base.__name__.startswith("_")]
    found = {member: value for each in (*reversed(private), class_) for member, value in vars(each).items()}
    for method, value in sorted(found.items()):
        plain = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        is_public = not method.startswith("_") and getattr(plain, "__doc__", None)
        if is_public and isinstance(plain, FunctionType | property):
            yield f"### {name}.{method}"
            yield _signature(method, plain) if isinstance(plain, FunctionType) else ""
            yield from _docstring(plain)


def _signature(name: str, value: Any) -> str:
    """Return the signature as a code block; an empty text for protocols, enumerations and aliases of types."""
    if getattr(value, "_is_protocol", False) or (inspect.isclass(value) and issubclass(value, Enum)):
        return ""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return ""
    parameters = [each.replace(annotation=_plain(each.annotation)) for each in signature.parameters.values()]
    signature = signature.replace(parameters=parameters, return_annotation=_returned(value, signature))
    prefix = "async def " if inspect.iscoroutinefunction(value) else ""
    shown = f"{prefix}{name}{_text(signature)}"
    if len(shown) > _LINE:
        lines = ",\n    ".join(_parameter_texts(signature))
        returned = _text(signature.replace(parameters=[])).removeprefix("()")
        shown = f"{prefix}{name}(\n    {lines},\n){returned}"
    return f"```text\n{shown}\n```"


def _parameter_texts(signature: inspect.Signature) -> Iterator[str]:
    """Yield the parameters, with `*` before the first one that is named only."""
    kinds = inspect.Parameter
    is_named_only = False
    for parameter in signature.parameters.values():
        if parameter.kind is kinds.VAR_POSITIONAL:
            is_named_only = True
        if parameter.kind is kinds.KEYWORD_ONLY and not is_named_only:
            is_named_only = True
            yield "*"
        yield _text(parameter)


def _text(value: object) -> str:
    """Return a signature or parameter without the names of modules."""
    text = _OBJECT.sub("…", _ENUM_VALUE.sub(r"\1", str(value))).replace("NoneType", "None")
    plain = _MODULES.sub(lambda found: found[0] if found[0].startswith("'") else "", text)
    return plain.replace(_FLOW, "Flow[").replace("'", '"')


def _returned(value: Any, signature: inspect.Signature) -> Any:
    """Return the type that a call returns: none for a class, and for a wrapped flow that of its result."""
    returned = signature.return_annotation
    if inspect.isclass(value):
        return signature.empty
    if hasattr(value, "__wrapped__") and get_origin(returned) is Generator:
        returned = get_args(returned)[-1]
    return None if returned is type(None) else returned


def _plain(annotation: Any) -> Any:
    """Return the type of an annotation with metadata."""
    return annotation.__origin__ if get_origin(annotation) is Annotated else annotation


def _docstring(value: Any) -> Iterator[str]:
    """Yield the parts of a docstring: its text, and a list for each section."""
    text, *sections = _SECTION.split(inspect.getdoc(value) or "")
    yield text.strip()
    for name, entries in zip(sections[::2], sections[1::2], strict=True):
        body, _, rest = entries.strip("\n").partition("\n\n")
        yield f"**{_TITLES.get(name, name)}**\n\n{_entries(body)}"
        yield inspect.cleandoc(rest) if rest.strip() else ""


def _entries(body: str) -> str:
    """Return the entries of a section as a list, or its text if it has no names."""
    first, *named = _ENTRY.split(body)
    if not named:
        return first_upper(" ".join(first.split()))
    pairs = zip(named[::2], named[1::2], strict=True)
    return "\n".join(f"- `{name}`: {' '.join(text.split())}" for name, text in pairs)

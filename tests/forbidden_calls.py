"""What a program that reads other people's files must not call, found in its source."""

import ast
from collections.abc import Iterator

# they run what they read
MODULES = {"_pickle", "cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
BUILTINS = {"__import__", "compile", "eval", "exec"}
ATTRIBUTES = {
    "os": {"execv", "execve", "execvp", "popen", "spawnv", "system"},
    "subprocess": {"getoutput", "getstatusoutput"},
    "tempfile": {"mktemp"},
    "torch.hub": {"load", "load_state_dict_from_url"},
    "yaml": {
        "CLoader",
        "FullLoader",
        "Loader",
        "UnsafeLoader",
        "full_load",
        "full_load_all",
        "load",
        "load_all",
        "unsafe_load",
        "unsafe_load_all",
    },
}
PICKLED_TABLES = {"read_pickle", "to_pickle"}
# a keyword of any call, and the only value that it may have
KEYWORDS = {"allow_pickle": False, "shell": False, "weights_only": True}


def forbidden(source: str) -> Iterator[str]:
    """Every forbidden import and call of a text, by line."""
    tree = ast.parse(source)
    names = _imported_names(tree)
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        yield from (f"{line}: {what}" for what in _forbidden(node, names))


def loads_code(source: str) -> bool:
    """Whether a text imports modules by names that it is given."""
    named = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return bool(named & {"exec_module", "import_module", "load_module", "spec_from_file_location"})


def _forbidden(node: ast.AST, names: dict[str, str]) -> Iterator[str]:
    match node:
        case ast.Import(aliases):
            yield from (alias.name for alias in aliases if alias.name.partition(".")[0] in MODULES)
        case ast.ImportFrom(module) if (module or "").partition(".")[0] in MODULES:
            yield str(module)
        case ast.Call(func, _, keywords):
            yield from _call(_dotted(func, names), keywords)
        case ast.Attribute() | ast.Name():
            yield from _attribute(_dotted(node, names))


def _call(name: str, keywords: list[ast.keyword]) -> Iterator[str]:
    if name in BUILTINS:
        yield name
    given = {keyword.arg: getattr(keyword.value, "value", "?") for keyword in keywords}
    yield from (f"{key} of {name}" for key, only in KEYWORDS.items() if given.get(key, only) is not only)
    if name == "torch.load" and "weights_only" not in given:
        yield "torch.load without weights_only"


def _attribute(name: str) -> Iterator[str]:
    module, _, last = name.rpartition(".")
    if last in ATTRIBUTES.get(module, set()) or last in PICKLED_TABLES:
        yield name


def _imported_names(tree: ast.AST) -> dict[str, str]:
    """What each name of a text stands for: `from yaml import load as read` makes `read` yaml.load."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return names


def _dotted(node: ast.AST, names: dict[str, str]) -> str:
    match node:
        case ast.Name(name):
            return names.get(name, name)
        case ast.Attribute(value, name):
            return f"{_dotted(value, names)}.{name}"
        case _:
            return "?"

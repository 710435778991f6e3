"""Figures inside a page: matplotlib's SVG without what the page has already, or forbids."""

from collections.abc import Mapping
from xml.etree import ElementTree as ET


def inlined(svg: str, *, prefix: str, caption: str, notes: Mapping[str, str]) -> str:
    """The <svg> element alone, with ids of its own and nothing that a policy against inline style blocks.

    Args:
        svg: What matplotlib wrote.
        prefix: Stands before every id, so that two figures of a page do not share one.
        caption: The id of the text that names the figure.
        notes: What is said of a group, by its id: such a group can be focused.
    """
    root = ET.fromstring(svg)  # noqa: S314 (it reads what we wrote ourselves)
    _drop_head(root)
    for element in root.iter():
        _use_local_names(element)
        _unfold_style(element)
    _annotate(root, notes)
    for element in root.iter():
        _set_apart(element, prefix)
    # matplotlib says this once in a style sheet; as attributes of the root they are inherited all the same
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}
    root.attrib |= {"role": "group" if notes else "img", "aria-labelledby": caption}
    return ET.tostring(root, encoding="unicode")


def _drop_head(root: ET.Element) -> None:
    """Metadata, and the style sheet, which would hold for the whole page."""
    for name in ("metadata", "defs"):
        for element in root.findall(f"{{*}}{name}"):
            if name == "metadata" or element.find("{*}style") is not None:
                root.remove(element)


def _use_local_names(element: ET.Element) -> None:
    """HTML knows svg without namespaces, and `href` without its prefix."""
    element.tag = _local(element.tag)
    attributes = {_local(name): value for name, value in element.attrib.items()}
    element.attrib.clear()
    element.attrib.update(attributes)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _unfold_style(element: ET.Element) -> None:
    """Each declaration of a `style` as an attribute of its own."""
    for declaration in element.attrib.pop("style", "").split(";"):
        name, _, value = declaration.partition(":")
        if value:
            element.set(name.strip(), value.strip())


def _annotate(root: ET.Element, notes: Mapping[str, str]) -> None:
    groups = {element.get("id"): element for element in root.iter("g")}
    for name, note in notes.items():
        groups[name].attrib |= {"class": "point", "role": "img", "tabindex": "-1", "aria-label": note}


def _set_apart(element: ET.Element, prefix: str) -> None:
    for name, value in element.attrib.items():
        if name == "id":
            element.set(name, prefix + value)
        elif name == "href" or value.startswith("url("):
            element.set(name, value.replace("#", f"#{prefix}", 1))

#!/usr/bin/env python3
"""Writes a program's manual page from what its command line says of itself.

usage: manual.py PROGRAM DATE [SECTIONS] < DUMP > PAGE

DUMP is the output of `PROGRAM --experimental-dump-help`; DATE is YYYY-MM-DD; SECTIONS is a file of man(7) source that
follows what is generated.
"""

from __future__ import annotations

import json
import pathlib
import sys
from typing import Any

Json = dict[str, Any]


def escaped(text: str) -> str:
    """Text as roff takes it: nothing in it is a request or an escape."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line.startswith(".") else line for line in text.split("\n"))


def paragraphs(text: str) -> list[str]:
    """A discussion. Lines that are indented, or stand apart, keep their shape."""
    lines: list[str] = []
    for block in text.strip("\n").split("\n\n"):
        if any(line.startswith((" ", "/", "{")) or "   " in line for line in block.split("\n")):
            lines += [".PP", ".nf", escaped(block), ".fi"]
        else:
            for number, line in enumerate(block.split("\n")):
                lines += [".PP" if number == 0 else ".br", escaped(line)]
    return lines


def name_of(argument: Json) -> str:
    value = f" \\fI{escaped(argument['valueName'])}\\fR"
    if argument["kind"] == "positional":
        return value.strip()
    names = [("--" if name["kind"] == "long" else "-") + name["name"] for name in argument["names"]]
    shown = ", ".join(f"\\fB{escaped(name)}\\fR" for name in sorted(names, key=len))
    return shown + (value if argument["kind"] == "option" else "")


def in_synopsis(argument: Json) -> str:
    value = f"\\fI{escaped(argument['valueName'])}\\fR"
    text = value
    if argument["kind"] != "positional":
        preferred = argument["preferredName"]
        dashes = "--" if preferred["kind"] == "long" else "-"
        text = f"\\fB{escaped(dashes + preferred['name'])}\\fR"
        text += f" {value}" if argument["kind"] == "option" else ""
    text += " ..." if argument["isRepeating"] else ""
    return f"[{text}]" if argument["isOptional"] else text


def arguments_of(command: Json) -> list[Json]:
    named = [a for a in command.get("arguments", []) if a["shouldDisplay"]]
    return [a for a in named if not any(n["name"] in ("help", "h") for n in a.get("names", []))]


def described(command: Json, path: list[str], heading: str) -> list[str]:
    lines = [f'{heading} "{escaped(" ".join(path))}"'] if heading else []
    if heading:
        lines += [escaped(command.get("abstract", ""))]
        synopsis = [f"\\fB{escaped(' '.join(path))}\\fR", *map(in_synopsis, arguments_of(command))]
        lines += [".PP", " ".join(synopsis)]
    lines += paragraphs(command["discussion"]) if command.get("discussion") else []
    for argument in arguments_of(command):
        about = argument.get("abstract", "")
        if values := argument.get("allValues"):
            about += f" One of {', '.join(values)}."
        if standard := argument.get("defaultValue"):
            about += f" Default: {standard}."
        lines += [".TP", name_of(argument), escaped(about) or "\\&"]
    return lines


def below(command: Json, path: list[str]) -> list[str]:
    lines: list[str] = []
    for sub in command.get("subcommands", []):
        if sub["commandName"] == "help" or not sub["shouldDisplay"]:
            continue
        lines += described(sub, [*path, sub["commandName"]], ".SS")
        lines += below(sub, [*path, sub["commandName"]])
    return lines


def page(command: Json, program: str, date: str, sections: str) -> str:
    has_commands = any(sub["commandName"] != "help" for sub in command.get("subcommands", []))
    synopsis = [f"\\fB{escaped(program)}\\fR"]
    synopsis += ["\\fIcommand\\fR", "[\\fIoptions\\fR]"] if has_commands else []
    synopsis += map(in_synopsis, arguments_of(command))
    lines = [f'.TH "{program.upper()}" "1" "{date}" "trade\\-executor" "User Commands"']
    lines += [".SH NAME", f"{escaped(program)} \\- {escaped(command['abstract'].rstrip('.'))}"]
    lines += [
        ".SH SYNOPSIS",
        " ".join(synopsis),
        ".SH DESCRIPTION",
        *described(command, [program], ""),
    ]
    lines += [".SH COMMANDS", *below(command, [program])] if has_commands else []
    return "\n".join(lines) + "\n" + sections


def main() -> None:
    program, date, *sections = sys.argv[1:]
    command = json.load(sys.stdin)["command"]
    more = "".join(pathlib.Path(path).read_text() for path in sections)
    print(page(command, program, date, more), end="")


if __name__ == "__main__":
    main()

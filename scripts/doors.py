"""A contract for import-linter: pages, API and commands are doors, and nothing inside the house imports a door."""

import re

from importlinter import Contract, ContractCheck, output

DOOR = re.compile(r"(views(_\w+)?|\w+_views|api|\w+_api|urls|\w+_urls|forms|\w+_forms|serializers|management|tests)")


def is_door(module: str) -> bool:
    """Say whether a module, or a folder that it lies in, is a way in."""
    return any(DOOR.fullmatch(part) for part in module.split(".")[1:])


class DoorsContract(Contract):
    """Models, rules and verbs import no views, forms, serializers, API, addresses or commands."""

    def check(self, graph, verbose) -> ContractCheck:
        """Find every direct import of a door by something that is none."""
        broken = [
            (importer, imported)
            for imported in sorted(filter(is_door, graph.modules))
            for importer in sorted(graph.find_modules_that_directly_import(imported))
            if not is_door(importer)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def render_broken_contract(self, check) -> None:
        """Name each forbidden import."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} may not import {imported}, which is a way in.", bold=False)

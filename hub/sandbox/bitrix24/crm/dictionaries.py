"""Funnels and dictionaries: stages of deals, leads and smart processes, sources, types."""

from typing import Any

from hub.sandbox.bitrix24.crm.kinds import DEAL, LEAD, SEMANTICS

_deal_stages = (
    ("NEW", "Новая", None, "#39A8EF"),
    ("PREPARATION", "Подготовка", None, "#2FC6F6"),
    ("EXECUTING", "В работе", None, "#55D0E0"),
    ("WON", "Успешна", "S", "#7BD500"),
    ("LOSE", "Провалена", "F", "#FF5752"),
)
_lead_stages = (
    ("NEW", "Не обработан", None, "#39A8EF"),
    ("IN_PROCESS", "В работе", None, "#2FC6F6"),
    ("CONVERTED", "Качественный лид", "S", "#7BD500"),
    ("JUNK", "Некачественный лид", "F", "#FF5752"),
)
_dynamic_stages = (
    ("NEW", "Начало", None, "#39A8EF"),
    ("PREPARATION", "Подготовка", None, "#2FC6F6"),
    ("SUCCESS", "Успех", "S", "#7BD500"),
    ("FAIL", "Провал", "F", "#FF5752"),
)
_plain = {
    "SOURCE": (("CALL", "Звонок"), ("EMAIL", "Электронная почта"), ("WEB", "Сайт"), ("OTHER", "Другое")),
    "DEAL_TYPE": (("SALE", "Продажа"), ("SERVICES", "Услуги")),
    "CONTACT_TYPE": (("CLIENT", "Клиенты"), ("SUPPLIER", "Поставщики")),
    "COMPANY_TYPE": (("CUSTOMER", "Клиент"), ("PARTNER", "Партнёр")),
    "HONORIFIC": (("HNR_RU_1", "г-н"), ("HNR_RU_2", "г-жа")),
    "INDUSTRY": (("IT", "Информационные технологии"), ("OTHER", "Другое")),
    "EMPLOYEES": (("EMPLOYEES_1", "менее 50"), ("EMPLOYEES_2", "50–250")),
}


class Dictionaries:
    """All of a portal's dictionaries. Rows have the keys of `crm.status.list`."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.categories: dict[int, list[dict[str, Any]]] = {}
        for entity, entries in _plain.items():
            for place, (code, name) in enumerate(entries):
                self._add(entity, code, name, None, place)
        for place, (code, name, semantics, color) in enumerate(_lead_stages):
            self._add("STATUS", code, name, semantics, place, color=color)
        self.add_category(DEAL, "Общая", default=True)

    def add_category(self, kind: int, name: str, *, default: bool = False) -> int:
        """A new funnel with the usual stages; returns its id, which is 0 for the first one of deals."""
        rows = self.categories.setdefault(kind, [])
        if kind == DEAL:
            number = len(rows)
        else:
            number = 12 + 2 * sum(len(others) for other, others in self.categories.items() if other != DEAL)
        rows.append(
            {
                "id": number,
                "name": name,
                "sort": 200 + 100 * len(rows),
                "entityTypeId": kind,
                "isDefault": "Y" if default else "N",
                "originId": "",
                "originatorId": "",
            }
        )
        stages = _deal_stages if kind == DEAL else _dynamic_stages
        prefix = self._prefix(kind, number)
        for place, (code, said, semantics, color) in enumerate(stages):
            self._add(
                self.entity(kind, number), prefix + code, said, semantics, place, color=color, category=str(number)
            )
        return number

    def entity(self, kind: int, category: int) -> str:
        """The ENTITY_ID of the stages of a funnel."""
        if kind == LEAD:
            return "STATUS"
        if kind == DEAL:
            return f"DEAL_STAGE_{category}" if category else "DEAL_STAGE"
        return f"DYNAMIC_{kind}_STAGE_{category}"

    def stages(self, kind: int, category: int) -> list[dict[str, Any]]:
        """The stages of a funnel in their order; [] when there is no such funnel."""
        wanted = self.entity(kind, category)
        return sorted((row for row in self.rows if row["ENTITY_ID"] == wanted), key=lambda row: int(row["SORT"]))

    def default_category(self, kind: int) -> int:
        """The funnel where new cards go."""
        rows = self.categories.get(kind, [])
        return next((int(row["id"]) for row in rows if row["isDefault"] == "Y"), 0)

    def _prefix(self, kind: int, category: int) -> str:
        if kind == DEAL:
            return f"C{category}:" if category else ""
        return f"DT{kind}_{category}:"

    def _add(
        self,
        entity: str,
        code: str,
        name: str,
        semantics: str | None,
        place: int,
        *,
        color: str = "",
        category: str | None = None,
    ) -> None:
        row: dict[str, Any] = {
            "ID": str(101 + len(self.rows)),
            "ENTITY_ID": entity,
            "STATUS_ID": code,
            "NAME": name,
            "NAME_INIT": "",
            "SORT": str(10 * (place + 1)),
            "SYSTEM": "Y",
            "CATEGORY_ID": category,
            "COLOR": color,
            "SEMANTICS": semantics,
        }
        if color:
            row["EXTRA"] = {"SEMANTICS": SEMANTICS.get(semantics or "", "process"), "COLOR": color}
        self.rows.append(row)

"""The cards a new portal has, so that there is something to click at once."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from hub.sandbox.bitrix24.crm.kinds import COMPANY, CONTACT, DEAL, LEAD
from hub.sandbox.bitrix24.crm.store import Crm

SMART_PROCESS = 147


class _Quiet:
    """A hit that causes nothing."""

    def __init__(self) -> None:
        self.portal = SimpleNamespace(offset_h=3)
        self.user_id = 1

    def fire(self, event: str, data: dict[str, Any]) -> None:
        """Nothing."""

    def entered(self, entity_type: int, item: int, stage: str) -> None:
        """Nothing."""


def sample_crm(stamp: Callable[[], str]) -> Crm:
    """Two funnels, user fields of a few types, a smart process, a company, two contacts, a lead and a deal.

    `stamp` gives the present moment as the portal writes it.
    """
    crm = Crm()
    crm.stamp = stamp
    crm.dictionaries.add_category(DEAL, "Доставка")
    crm.add_type(SMART_PROCESS, "Аренда")
    _user_fields(crm)
    hit: Any = _Quiet()
    kinds = crm.kinds
    firm = {"TITLE": "Мебель и уют", "COMPANY_TYPE": "CUSTOMER"}
    company = crm.add(hit, kinds[COMPANY], firm, [_phone("+74951234567")])
    ann = crm.add(
        hit,
        kinds[CONTACT],
        {"NAME": "Анна", "LAST_NAME": "Смирнова", "COMPANY_ID": company, "TYPE_ID": "CLIENT"},
        [
            _phone("+7 (999) 123-45-67", "MOBILE"),
            _phone("+74957654321"),
            {"TYPE_ID": "EMAIL", "VALUE_TYPE": "WORK", "VALUE": "anna@example.com"},
            {"TYPE_ID": "IM", "VALUE_TYPE": "TELEGRAM", "VALUE": "anna_s"},
        ],
    )
    crm.add(hit, kinds[CONTACT], {"NAME": "Пётр"})
    crm.add(hit, kinds[LEAD], {"TITLE": "Заявка с сайта", "NAME": "Ольга", "SOURCE_ID": "WEB"}, [_phone("89995550011")])
    crm.add(
        hit,
        kinds[DEAL],
        {
            "TITLE": "Заказ 1001",
            "OPPORTUNITY": "12500",
            "CONTACT_ID": ann,
            "COMPANY_ID": company,
            "TYPE_ID": "SALE",
            "SOURCE_ID": "WEB",
            "UF_CRM_1747309727": "79",
        },
    )
    crm.add(hit, kinds[SMART_PROCESS], {"TITLE": "Велосипед 5", "CONTACT_ID": ann})
    return crm


def _phone(value: str, kind: str = "WORK") -> dict[str, str]:
    return {"TYPE_ID": "PHONE", "VALUE_TYPE": kind, "VALUE": value}


def _user_fields(crm: Crm) -> None:
    loyalty = (("79", "Золото"), ("80", "Серебро"))
    for name, type_name, title, flags, choices in (
        ("UF_CRM_1747309727", "enumeration", "Лояльность", (), loyalty),
        ("UF_CRM_1747309879", "enumeration", "Интересы", ("multi",), loyalty),
        ("UF_CRM_1747309901", "money", "Предоплата", (), ()),
        ("UF_CRM_1747309911", "boolean", "Согласие на сообщения", (), ()),
        ("UF_CRM_1747309921", "date", "Дата доставки", (), ()),
        ("UF_CRM_ADDRESS", "string", "Адрес доставки", (), ()),
    ):
        crm.add_user_field(DEAL, name, type_name, title, frozenset(flags), choices)
    crm.add_user_field(CONTACT, "UF_CRM_CITY", "string", "Город")
    crm.add_user_field(SMART_PROCESS, "UF_CRM_3_DIGIT", "string", "Номер рамы")
    crm.add_user_field(SMART_PROCESS, "UF_CRM_3_1747309727", "enumeration", "Размер", values=loyalty)

"""Kinds of cards: their numbers, names in events and processes, and the fields they are born with."""

import re
from dataclasses import dataclass, field
from typing import Any

LEAD, DEAL, CONTACT, COMPANY = 1, 2, 3, 4
MULTIFIELDS = ("PHONE", "EMAIL", "WEB", "IM", "LINK")
SEMANTICS = {"S": "success", "F": "failure"}


@dataclass(frozen=True)
class Field:
    """A field by its legacy name; `item` is its name in the universal API. `flags`: ro, req, imm, multi, dep."""

    name: str
    type: str
    title: str
    item: str
    flags: frozenset[str] = frozenset()
    status_type: str = ""
    values: tuple[tuple[str, str], ...] = ()
    dynamic: bool = False
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def multiple(self) -> bool:
        """Whether it holds a list."""
        return "multi" in self.flags


@dataclass(frozen=True)
class Kind:
    """A kind of card. `stage` is the field with its stage, empty where there are none."""

    id: int
    code: str
    abbreviation: str
    document: tuple[str, str, str]
    event: str
    stage: str = ""


_legacy = {
    LEAD: Kind(LEAD, "lead", "L", ("crm", "CCrmDocumentLead", "LEAD"), "LEAD", "STATUS_ID"),
    DEAL: Kind(DEAL, "deal", "D", ("crm", "CCrmDocumentDeal", "DEAL"), "DEAL", "STAGE_ID"),
    CONTACT: Kind(CONTACT, "contact", "C", ("crm", "CCrmDocumentContact", "CONTACT"), "CONTACT"),
    COMPANY: Kind(COMPANY, "company", "CO", ("crm", "CCrmDocumentCompany", "COMPANY"), "COMPANY"),
}

_tail = """
ASSIGNED_BY_ID user assignedById - Ответственный
CREATED_BY_ID user createdBy ro Кем создана
MODIFY_BY_ID user updatedBy ro Кем изменена
DATE_CREATE datetime createdTime ro Дата создания
DATE_MODIFY datetime updatedTime ro Дата изменения
OPENED char opened - Доступна для всех
COMMENTS string comments - Комментарий
SOURCE_ID crm_status:SOURCE sourceId - Источник
SOURCE_DESCRIPTION string sourceDescription - Об источнике
ORIGINATOR_ID string originatorId - Внешний источник
ORIGIN_ID string originId - Ключ во внешнем источнике
LAST_ACTIVITY_TIME datetime lastActivityTime ro Последняя активность
LAST_ACTIVITY_BY user lastActivityBy ro Кем последняя активность
UTM_SOURCE string utmSource - UTM source
UTM_MEDIUM string utmMedium - UTM medium
UTM_CAMPAIGN string utmCampaign - UTM campaign
UTM_CONTENT string utmContent - UTM content
UTM_TERM string utmTerm - UTM term
"""
_money = """
OPPORTUNITY double opportunity - Сумма
CURRENCY_ID crm_currency currencyId - Валюта
IS_MANUAL_OPPORTUNITY char isManualOpportunity - Сумма вручную
TAX_VALUE double taxValue - Ставка налога
"""
_moved = """
MOVED_BY_ID user movedBy ro Кем передвинута
MOVED_TIME datetime movedTime ro Когда передвинута
"""
_person = """
NAME string name - Имя
LAST_NAME string lastName - Фамилия
SECOND_NAME string secondName - Отчество
HONORIFIC crm_status:HONORIFIC honorific - Обращение
POST string post - Должность
BIRTHDATE date birthdate - Дата рождения
"""
_multi = """
HAS_PHONE char hasPhone ro Задан телефон
HAS_EMAIL char hasEmail ro Задан e-mail
HAS_IMOL char hasImol ro Задана открытая линия
PHONE crm_multifield phone multi Телефон
EMAIL crm_multifield email multi E-mail
WEB crm_multifield web multi Сайт
IM crm_multifield im multi Мессенджер
LINK crm_multifield link multi Ссылка
"""
_tables = {
    DEAL: f"""ID integer id ro ID
TITLE string title - Название
TYPE_ID crm_status:DEAL_TYPE typeId - Тип
CATEGORY_ID crm_category categoryId imm Воронка
STAGE_ID crm_status:DEAL_STAGE stageId - Стадия сделки
STAGE_SEMANTIC_ID string stageSemanticId ro Группа стадии
PROBABILITY integer probability - Вероятность
{_money}LEAD_ID crm_lead leadId ro Лид
COMPANY_ID crm_company companyId - Компания
CONTACT_ID crm_contact contactId dep Контакт
CONTACT_IDS crm_contact contactIds multi Контакты
QUOTE_ID crm_quote quoteId ro Предложение
BEGINDATE date begindate - Дата начала
CLOSEDATE date closedate - Дата завершения
CLOSED char closed - Закрыта
ADDITIONAL_INFO string additionalInfo - Дополнительно
LOCATION_ID location locationId - Местоположение
IS_NEW char isNew ro Новая
IS_RECURRING char isRecurring - Регулярная
IS_RETURN_CUSTOMER char isReturnCustomer - Повторная
IS_REPEATED_APPROACH char isRepeatedApproach - Повторное обращение
{_moved}{_tail}""",
    LEAD: f"""ID integer id ro ID
TITLE string title - Название
{_person}COMPANY_TITLE string companyTitle - Компания
STATUS_ID crm_status:STATUS stageId - Стадия
STATUS_DESCRIPTION string statusDescription - О стадии
STATUS_SEMANTIC_ID string stageSemanticId ro Группа стадии
DATE_CLOSED datetime dateClosed ro Завершён
CONTACT_ID crm_contact contactId - Контакт
COMPANY_ID crm_company companyId - Компания
{_money}{_multi}{_moved}{_tail}""",
    CONTACT: f"""ID integer id ro ID
{_person}TYPE_ID crm_status:CONTACT_TYPE typeId - Тип контакта
PHOTO file photo - Фото
EXPORT char export - Экспорт
COMPANY_ID crm_company companyId dep Компания
COMPANY_IDS crm_company companyIds multi Компании
LEAD_ID crm_lead leadId ro Лид
{_multi}{_tail}""",
    COMPANY: f"""ID integer id ro ID
TITLE string title req Название
COMPANY_TYPE crm_status:COMPANY_TYPE typeId - Тип
INDUSTRY crm_status:INDUSTRY industry - Отрасль
EMPLOYEES crm_status:EMPLOYEES employees - Сотрудников
REVENUE double revenue - Годовой оборот
CURRENCY_ID crm_currency currencyId - Валюта
BANKING_DETAILS string bankingDetails - Реквизиты
IS_MY_COMPANY char isMyCompany - Моя компания
{_multi}{_tail}""",
}
_dynamic_table = f"""ID integer id ro ID
XML_ID string xmlId - Внешний код
TITLE string title - Название
CATEGORY_ID crm_category categoryId - Воронка
STAGE_ID crm_status:DYNAMIC stageId - Стадия
PREVIOUS_STAGE_ID string previousStageId ro Прежняя стадия
BEGINDATE date begindate - Дата начала
CLOSEDATE date closedate - Дата завершения
COMPANY_ID crm_company companyId - Компания
CONTACT_ID crm_contact contactId - Контакт
CONTACT_IDS crm_contact contactIds multi Контакты
OBSERVERS user observers multi Наблюдатели
MYCOMPANY_ID crm_company mycompanyId - Моя компания
WEBFORM_ID integer webformId - Форма
PARENT_ID_2 crm_deal parentId2 - Сделка
{_money}{_moved}{_tail}"""


def legacy_kind(code: str) -> Kind:
    """The kind of `deal`, `lead`, `contact` or `company`."""
    return next(kind for kind in _legacy.values() if kind.code == code)


def dynamic_kind(number: int) -> Kind:
    """A smart process."""
    class_name = "Bitrix\\Crm\\Integration\\BizProc\\Document\\Dynamic"
    name = f"DYNAMIC_{number}"
    return Kind(number, name.lower(), f"T{number:x}", ("crm", class_name, name), "DYNAMICITEM", "STAGE_ID")


def kinds() -> dict[int, Kind]:
    """The kinds every portal has."""
    return dict(_legacy)


def born_fields(number: int) -> dict[str, Field]:
    """The fields a kind has before anybody adds own ones."""
    lines = _tables.get(number, _dynamic_table).splitlines()
    return {made.name: made for made in map(_parse, filter(None, lines))}


def item_name(name: str) -> str:
    """A user field's name in the universal API: UF_CRM_3_DIGIT is ufCrm3Digit, UF_CRM_3_17 is ufCrm3_17."""
    first, *parts = name.lower().split("_")
    made = first
    for place, part in enumerate(parts):
        last = place == len(parts) - 1
        made += f"_{part}" if part.isdigit() and last else part.capitalize()
    return made


def is_user_field(name: str) -> bool:
    """Whether a legacy name is that of a user field."""
    return re.fullmatch(r"UF_CRM_[A-Z0-9_]+", name) is not None


def _parse(line: str) -> Field:
    name, kind, item, flags, title = line.split(" ", 4)
    type_name, _, status = kind.partition(":")
    marks = frozenset() if flags == "-" else frozenset(flags.split(","))
    return Field(name, type_name, title, item, marks, status_type=status)

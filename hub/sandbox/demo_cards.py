"""The cards that the demo's portal has beside the sample ones: a customer with an order that is about to be ready."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hub.sandbox.bitrix24 import work
from hub.sandbox.bitrix24.crm.kinds import CONTACT, DEAL

if TYPE_CHECKING:
    from hub.sandbox.bitrix24.server import Bitrix24

ROBOT_STAGE = "PREPARATION"
READY_STAGE = "WON"
CUSTOMER = "Анна"
WRITTEN_PHONE = "8 999 765-43-21"
PHONE = "79997654321"
ORDER, PRICE = "№ 1042", 45000
TEXT = "Анна, заказ № 1042 на 45 000 ₽ готов"


@dataclass(frozen=True)
class Cards:
    """The numbers of the customer and of the order."""

    contact: int
    deal: int


def add_cards(bitrix24: "Bitrix24") -> Cards:
    """Put the customer and the order into the portal, as a person would have done before."""
    cloud, portal = bitrix24.cloud, bitrix24.portal
    phone = [{"VALUE": WRITTEN_PHONE, "VALUE_TYPE": "MOBILE"}]
    with cloud.lock:
        customer = {"NAME": CUSTOMER, "LAST_NAME": "Орлова", "PHONE": phone}
        contact = work.change_card(cloud, portal, {"do": "add", "entityTypeId": CONTACT, "fields": customer})["id"]
        order = {"TITLE": ORDER, "OPPORTUNITY": str(PRICE), "CONTACT_ID": contact}
        deal = work.change_card(cloud, portal, {"do": "add", "entityTypeId": DEAL, "fields": order})["id"]
    return Cards(contact, deal)

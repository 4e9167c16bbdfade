"""What a line's form and its troubles are called, by channel: where to find a token, what to do when it broke."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _

from hub.web.pages.schema_form import Words

CHANNELS: Mapping[str, tuple[Any, Any]] = {
    "smsc": (_("SMS (SMSC)"), _("An account at smsc.ru or smsc.kz sends SMS to phone numbers.")),
    "smsru": (_("SMS (SMS.ru)"), _("An account at sms.ru sends SMS to phone numbers.")),
    "telegram": (_("Telegram"), _("A bot writes to those who have written to it.")),
    "max": (_("MAX"), _("A bot writes to those who have written to it.")),
    "vk": (_("VK"), _("A community writes to those who have allowed it.")),
    "whatsapp": (_("WhatsApp"), _("A business number of the WhatsApp Cloud API writes to phone numbers.")),
}
_API = Words(_("API address"), _("Leave as is, unless you use a server of your own."))
_PROXY = Words(_("Proxy address"), _("Only if the messenger cannot be reached directly from here."))
_VERSION = Words(_("API version"), _("Leave it as it is."))
_SENDER = Words(_("Sender's name"), _("As approved by the provider. Leave empty for the account's usual one."))
CONFIG: Mapping[str, Mapping[str, Words]] = {
    "smsc": {
        "token": Words(
            _("API key or password"),
            _("The key is made in the settings of the account at SMSC. With a password, fill in the login below, too."),
        ),
        "login": Words(_("Login"), _("Only with a password. Leave it empty with an API key.")),
        "sender": _SENDER,
        "api_url": Words(_("API address"), _("Leave as is; https://smsc.kz for an account in Kazakhstan.")),
        "proxy_url": _PROXY,
    },
    "smsru": {
        "token": Words(_("API key (api_id)"), _("It stands on the first page of the account at sms.ru.")),
        "sender": _SENDER,
        "api_url": _API,
        "proxy_url": _PROXY,
    },
    "telegram": {
        "token": Words(_("Bot token"), _("@BotFather gives it: /newbot for a new bot, /token for one you have.")),
        "api_url": _API,
        "proxy_url": _PROXY,
    },
    "max": {
        "token": Words(_("Bot token"), _("On business.max.ru: Chat bots, the bot, Integration.")),
        "secret": Words(
            _("Secret of the subscription"),
            _("Needed for replies: 5 to 256 Latin letters, digits, - and _. The subscription gets the same one."),
        ),
        "api_url": _API,
        "proxy_url": _PROXY,
    },
    "vk": {
        "token": Words(
            _("Community token"),
            _("In the community: Manage, Advanced, API usage, Create token, with the right to messages."),
        ),
        "group_id": Words(_("Community number"), _("Needed for delivery to be checked and for replies.")),
        "confirmation": Words(_("Confirmation string"), _("Callback API shows it: “The string the server returns”.")),
        "secret": Words(_("Secret key of callbacks"), _("The one you entered in Callback API.")),
        "version": _VERSION,
        "api_url": _API,
        "proxy_url": _PROXY,
    },
    "whatsapp": {
        "token": Words(
            _("Access token"),
            _("In Meta Business: System users, Generate token, with the right whatsapp_business_messaging."),
        ),
        "phone_number_id": Words(_("Phone number id"), _("In the Meta app: WhatsApp, API Setup.")),
        "waba_id": Words(_("Business account id"), _("Next to the phone number id.")),
        "app_secret": Words(
            _("App secret"), _("In the Meta app: Settings, Basic. Needed to learn what was delivered.")
        ),
        "verify_token": Words(_("Verify token"), _("Any word. Enter the same one at Meta, next to the address below.")),
        "version": _VERSION,
        "api_url": _API,
        "proxy_url": _PROXY,
    },
}
SETTINGS: Mapping[str, Words] = {
    "on_unconfirmed": Words(_("When it is unclear whether a message arrived")),
    "country": Words(_("Country for numbers without a code"), _("Two letters, such as RU.")),
    "rate_per_s": Words(_("Messages a second"), _("Leave empty for what the messenger allows. 0 means no limit.")),
    "rate_per_chat_per_s": Words(_("Messages a second to one chat"), _("Leave empty for what the messenger allows.")),
    "bitrix24_sender": Words(_("Offer the line in Bitrix24 cards")),
    "open_line": Words(
        _("Open line number in Bitrix24"),
        _("Its operators see what customers write to this line and answer there. Leave empty to show it to nobody."),
    ),
}
CHOICES: Mapping[str, Mapping[str, Any]] = {
    "on_unconfirmed": {"hold": _("ask a person"), "resend": _("send again: it may arrive twice")},
    "bitrix24_sender": {"": _("if it writes to phone numbers"), "True": _("yes"), "False": _("no")},
}
WEBHOOKS: Mapping[str, Any] = {
    "smsc": _(
        "Enter it in the settings of the account at SMSC as the address for statuses; then you see what was delivered."
        " The address is the only secret, so show it to nobody."
    ),
    "smsru": _(
        "Enter it in the account at sms.ru as a callback; then you see what was delivered. Show the address to nobody."
    ),
    "telegram": _("Telegram tells it what the bot's customers write. It is set at the bot by setWebhook."),
    "max": _("MAX tells it what the bot's customers write. It is set at the bot by POST /subscriptions."),
    "vk": _("Enter it in the community: Manage, Advanced, API usage, Callback API, Address."),
    "whatsapp": _("Enter it in the Meta app: WhatsApp, Configuration, Callback URL; subscribe to “messages”."),
}


@dataclass(frozen=True)
class Trouble:
    """What happened to a line, and what to do, in plain words."""

    what: str
    act: str


_TOKEN: Mapping[str, Any] = {
    "smsc": _("Enter a valid API key, or the login and the password, in the line's form."),
    "smsru": _("Copy the api_id from the account at sms.ru into the line's form."),
    "telegram": _("Get the token from @BotFather (/token) and enter it in the line's form. A replaced one is refused."),
    "max": _("Take the token from business.max.ru (Chat bots, the bot, Integration) and enter it in the line's form."),
    "vk": _("Create a new token in the community (Manage, API usage) and enter it in the line's form."),
    "whatsapp": _(
        "Create a new token in Meta Business (System users) and enter it in the line's form."
        " A temporary one lives a day."
    ),
}
_SLOW = _("The messenger asks us to slow down")
_PATIENCE = _("Nothing to do: we keep trying, and waiting messages are not lost.")
_TROUBLES: Mapping[str, tuple[Any, Any]] = {
    "token_refused": (_("The messenger does not accept the token"), _("Enter a valid token in the line's form.")),
    "no_rights": (
        _("The token has no right to send"),
        _("Give it the right to messages, or create a new one that has it."),
    ),
    "redirect": (_("The address leads elsewhere"), _("Check “API address” under “More”.")),
    "api_address": (_("Something else answers at this address"), _("Check “API address” under “More”.")),
    "captcha": (_("VK asks for a captcha"), _("Wait an hour and send less often.")),
    "validation_needed": (_("VK asks to confirm the account"), _("Sign in to VK as the owner of the community.")),
    "address_not_allowed": (_("VK does not allow our address"), _("Add it in the community's list of addresses.")),
    "bots_off": (_("Bots are switched off in the community"), _("Switch on: Manage, Messages, Bot settings.")),
    "number_not_registered": (_("The number is not registered"), _("Register it at Meta; check the phone number id.")),
    "account_locked": (_("The account is locked"), _("Look into Meta Business: it says why and how to appeal.")),
    "country_restricted": (_("Meta does not let it write to this country"), _("Look into Meta Business.")),
    "display_name": (_("The name of the number is not approved"), _("Have it approved in Meta Business.")),
    "payment": (_("Meta is waiting for a payment"), _("Fix the payment in Meta Business.")),
    "no_money": (_("The account has run out of money"), _("Top it up at the provider, then check the line.")),
    "account_unconfirmed": (
        _("The account is not confirmed"),
        _("Enter at the provider the code that it has sent by SMS, then check the line."),
    ),
    "line_unusable": (_("The line's data cannot be read"), _("Enter the token anew in the line's form.")),
    "not_ready": (_("This account cannot send"), _("Check its rights, or enter another token.")),
    "too_many_requests": (_SLOW, _PATIENCE),
    "same_text": (
        _("The provider takes the same text to the same number once a minute"),
        _("Nothing to do: we send it again in a minute."),
    ),
    "daily_limit": (
        _("The account's SMS for today are used up"),
        _("We try again every hour; the provider says how to raise the limit."),
    ),
    "address_held": (
        _("The provider takes no requests from our address for a while"),
        _("Too many of them were wrong. Nothing to do: we try again in five minutes."),
    ),
    "flood": (_SLOW, _PATIENCE),
    "pair_rate": (_SLOW, _PATIENCE),
    "method_limit": (_("VK's limit of calls is used up"), _("Nothing to do: we continue in an hour.")),
    "spam_limit": (_("Meta has slowed the number down: people complained"), _("Write only to those who expect it.")),
    "messaging_limit": (
        _("The number's daily limit of customers is reached"),
        _("We try again every hour; Meta Business says how to raise the limit."),
    ),
    "marketing_limit": (
        _("Meta holds back advertising to this customer"),
        _("We try again in an hour; what they asked for goes through as a service message."),
    ),
    "section_off": (_("VK has switched this section off for a while"), _PATIENCE),
    "provider_down": (_("The messenger is out of order"), _PATIENCE),
    "provider_timeout": (_("The messenger takes too long to answer"), _PATIENCE),
    "read_timeout": (_("The messenger takes too long to answer"), _PATIENCE),
    "hung_up": (_("The messenger breaks the connection without an answer"), _PATIENCE),
    "answer_cut": (_("The messenger's answers break off"), _PATIENCE),
    "bad_answer": (_("The messenger's answers cannot be read"), _("Check “API address” under “More”, and the proxy.")),
    "dns_failed": (_("The messenger's address is not found"), _("Check the network of the server and the address.")),
    "connect_failed": (_("There is no connection with the messenger"), _("Check the network; a proxy may help.")),
    "tls_error": (_("There is no secure connection"), _("Check the network and the proxy.")),
    "address_refused": (_("This address may not be called"), _("Check “API address” under “More”.")),
}
_OF_CHANNEL: Mapping[tuple[str, str], tuple[Any, Any]] = {
    ("max", "tls_error"): (
        _("The certificate of MAX is not trusted here"),
        _("Whoever runs Hubline sets HUB_MAX_CA_FILE: docs/operations.md says how. If it is set, check the network."),
    ),
}
_SILENT = (_("The messenger does not answer"), _PATIENCE)
_ERROR = (_("The messenger answers with an error"), _("Check the line's data; below is what the messenger says."))


def trouble(channel: str, code: str, state: str = "") -> Trouble:
    """What a line's code means for its channel; for one that is not known, what its state means."""
    if code == "token_refused" or (not code and state != "unreachable"):
        act = _TOKEN.get(channel, _("Enter a valid token in the line's form."))
        return Trouble(str(_("The messenger does not accept the token")), str(act))
    if special := _OF_CHANNEL.get((channel, code)):
        return Trouble(*map(str, special))
    return known(code) or Trouble(*map(str, _SILENT if state == "unreachable" else _ERROR))


def known(code: str) -> Trouble | None:
    """What a code means whichever line has it, if it is one of those that stop a line."""
    words = _TROUBLES.get(code)
    return None if words is None else Trouble(str(words[0]), str(words[1]))

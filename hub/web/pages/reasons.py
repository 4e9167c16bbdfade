"""Why a message did not arrive or a run failed, in words: what happened, and what can be done about it.

Messengers answer in English or in codes of their own. What a code means is said here; for a code that is not here the
messenger's own words are shown.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Flask
from flask_babel import LazyString
from flask_babel import lazy_gettext as _

from hub.web.pages import line_words
from hub.web.sentences import said

_LOOK = _("Look into the messenger, then say what happened.")
_UNCONFIRMED = _("{what}: perhaps it arrived")
Words = Mapping[str, tuple[LazyString, LazyString]]
_WORDS = {
    "blocked": (_("The recipient has blocked us"), _("Write to them in another messenger.")),
    "deactivated": (_("The recipient's account is gone"), _("Write to them in another messenger.")),
    "never_started": (
        _("The recipient has never written to the bot"),
        _("A bot cannot write first. Send them a link to the bot, or use another messenger."),
    ),
    "chat_not_found": (
        _("There is no such chat"),
        _("Check the number or the id; a bot knows only those who have written to it."),
    ),
    "chat_id_invalid": (_("The recipient is not a phone number"), _("Correct the number and send again.")),
    "kicked": (_("We were removed from the chat"), _("Ask somebody in the chat to bring the bot back.")),
    "not_member": (_("We are not in the chat"), _("Ask somebody in the chat to add the bot.")),
    "recipient_is_bot": (_("The recipient is a bot"), _("Bots cannot write to bots. Correct the recipient.")),
    "recipient_is_sender": (_("The recipient is the line itself"), _("Correct the recipient.")),
    "not_allowed": (
        _("The recipient has not allowed messages"),
        _("They have to write first, or to allow messages in VK."),
    ),
    "privacy": (_("The recipient's privacy settings forbid it"), _("They have to write first, or to allow messages.")),
    "no_chat_access": (_("We may not write to this chat"), _("Ask somebody in the chat to give us access.")),
    "not_reachable": (_("The recipient cannot be reached"), _("Write to them in another messenger.")),
    "wrong_number": (_("There is no such phone number"), _("Correct the number and send again.")),
    "text_forbidden": (
        _("The provider does not let this text or sender through"),
        _("Have the text's template and the sender's name approved there, or change the text."),
    ),
    "sender_refused": (
        _("The sender's name is not approved"),
        _("Have it approved by the provider, or empty it in the line's form."),
    ),
    "stop_list": (
        _("The number is in the account's stop list"),
        _("Take it off the list at the provider, or write in another messenger."),
    ),
    "recipient_limit": (
        _("This number has had too many SMS today"),
        _("Send tomorrow, or write in another messenger."),
    ),
    "repeated_text": (_("This number has had the same text too often"), _("Change the text, or send later.")),
    "undeliverable": (
        _("There is no WhatsApp at this number"),
        _("Check the number, or write in another messenger."),
    ),
    "window_closed": (
        _("More than 24 hours since the customer last wrote"),
        _("WhatsApp allows only an approved template now."),
    ),
    "opted_out": (_("The customer has unsubscribed"), _("Do not write to them here.")),
    "experiment": (_("WhatsApp did not show the message to this customer"), _("Try later, or another messenger.")),
    "not_in_test_list": (
        _("The number is not in the list of test numbers"),
        _("Add it at Meta, or leave the test mode."),
    ),
    "bad_template": (_("The template was refused"), _("Look at its name, language and placeholders at Meta.")),
    "text_empty": (_("The text is empty"), _("Look at the scenario: what fills the text was empty.")),
    "empty": (_("The text is empty"), _("Look at the scenario: what fills the text was empty.")),
    "too_long": (_("The text is too long"), _("Make it shorter in the scenario.")),
    "bad_file": (_("The file was refused"), _("Check that its address opens for everybody, and its kind and size.")),
    "file_not_fetched": (_("The file could not be fetched"), _("Check that its address opens for everybody.")),
    "too_large": (_("The file is too large"), _("Make it smaller.")),
    "no_rights": (_("We have no right to write here"), _("Look at the rights of the line's account.")),
    "stale": (
        _("It had waited for more than eight hours"),
        _("The line works again. Send again what is still true."),
    ),
    "expired": (_("It could not be sent in time"), _("Send again if it is still true.")),
    "undelivered": (_("The messenger could not deliver it"), _("Check the number, or write in another messenger.")),
    "poisoned": (_("Sending it failed three times on our side"), _("Look at its text and file before sending again.")),
    "read_timeout": (_("No answer came: perhaps it arrived"), _("Look into the messenger, then say what happened.")),
    "hung_up": (_("The connection broke: perhaps it arrived"), _("Look into the messenger, then say what happened.")),
    "answer_cut": (
        _("The answer broke off: perhaps it arrived"),
        _("Look into the messenger, then say what happened."),
    ),
    "bad_answer": (
        _("The answer was unreadable: perhaps it arrived"),
        _("Look into the messenger, then say what happened."),
    ),
    "interrupted": (
        _("We were cut off while sending: perhaps it arrived"),
        _("Look into the messenger, then say what happened."),
    ),
    "provider_timeout": (
        _("The messenger took too long: perhaps it arrived"),
        _("Look into the messenger, then say what happened."),
    ),
    "provider_down": (_("The messenger was out of order"), _("Send again.")),
    "connect_failed": (_("The messenger could not be reached"), _("Send again.")),
    "too_many_requests": (_("The messenger asked us to slow down for too long"), _("Send again.")),
    "answer_too_late": (_("The customer wrote too long ago for an answer"), _("Write in another messenger.")),
    "identity_changed": (
        _("The customer's phone or WhatsApp account has changed"),
        _("Make sure that it is still them before you write again."),
    ),
    "marketing_only": (_("This number may send advertising only"), _("Send through another line.")),
    "user_id_not_allowed": (_("The account may not write to a user id"), _("Use the phone number.")),
    "voice_forbidden": (_("The recipient takes no voice messages"), _("Send a text or another file.")),
    "bad_request": (_("The messenger could not make sense of the message"), _("Look at its text, buttons and file.")),
    "bad_markup": (_("The formatting of the text was refused"), _("Look at the text in the scenario.")),
    "bad_button": (_("A button was refused"), _("Look at the buttons of the message in the scenario.")),
    "buttons": (
        _("The messenger does not support these buttons"),
        _("Look at the buttons of the message in the scenario."),
    ),
    "bad_attachment": (_("The attachment was refused"), _("Check that its address opens for everybody.")),
    "bad_flow": (_("The form in the template was refused"), _("Look at the template at Meta.")),
    "bad_intent": (_("VK refused the purpose of the mailing"), _("Send it as an ordinary message.")),
    "file": (_("The messenger does not support files"), _("Send the file through another line.")),
    "template": (_("The messenger has no templates"), _("Send a text, or send the template through a WhatsApp line.")),
    "recipient": (_("The message has no recipient"), _("Look at the scenario: what fills the recipient was empty.")),
    "failed": (_("Noted as not arrived"), _("Send again, or dismiss it.")),
}

_OF_RUNS = {
    "chat_id_empty": (
        _("Nobody to write to: the ChatID is empty"),
        _("What fills ChatID in the scenario was empty. Fix the scenario, then run it again."),
    ),
    "chat_id_invalid": (
        _("The ChatID is not a phone number"),
        _("Correct what fills ChatID in the scenario, or the number in the card, then run it again."),
    ),
    "message_missing": (
        _("A required value is missing"),
        _("The red block shows which one. Fix the scenario, then run it again."),
    ),
    "template_error": (
        _("A text or a template could not be filled"),
        _("The red block shows what is wrong. Fix the scenario, then run it again."),
    ),
    "calc_error": (
        _("A text or a template could not be filled"),
        _("The red block shows what is wrong. Fix the scenario, then run it again."),
    ),
    "text_empty": (_("The text is empty"), _("Look at the scenario: what fills the text was empty.")),
    "line_missing": (
        _("The line that should write is gone"),
        _("Choose another line in the scenario, then run it again."),
    ),
    "file_url_invalid": (
        _("The file's address is not valid"),
        _("Correct what fills it in the scenario, then run it again."),
    ),
    "internal": (
        _("An error on our side"),
        _("It is in the log. Run it again; if it fails again, tell whoever runs Hubline."),
    ),
}


@dataclass(frozen=True)
class Why:
    """`text`: what happened; `hint`: what to do, perhaps empty."""

    text: str
    hint: str


def register(app: Flask) -> None:
    """Offer `why(code, said)` and `why_run(code, said)` to templates."""
    app.jinja_env.globals.update(why=why, why_run=why_run, trouble=line_words.trouble)


def why(code: str, message: str = "", *, unconfirmed: bool = False) -> Why:
    """What a code means; for an unknown one what the layers below said, in the page's language where it is ours. Of a
    message that is `unconfirmed` nobody knows whether it arrived, so it is looked for before it is sent again."""
    told = _told(_WORDS, code, message)
    if unconfirmed and told.hint != str(_LOOK):
        return Why(str(_UNCONFIRMED).format(what=told.text), str(_LOOK))
    return told


def why_run(code: str, message: str = "") -> Why:
    """The same of a run that failed without a message; its blocks have codes of their own."""
    return _told(_OF_RUNS, code, message)


def _told(words: Words, code: str, message: str) -> Why:
    known = words.get(code)
    if known is not None:
        return Why(str(known[0]), str(known[1]))
    trouble = line_words.known(code)
    if trouble is not None:
        return Why(trouble.what, trouble.act)
    return Why(said(message) or code, "")

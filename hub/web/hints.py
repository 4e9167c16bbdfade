"""Why a place of a template is empty, in whole sentences: `hub.language` puts them together from parts, and so the
catalogue of translations finds them only here. `said` recognises them by these patterns."""

from flask_babel import lazy_gettext as _

HINTS = (
    _("there is no key {}; there are: {}; did you mean {}?"),
    _("there is no key {}; there are: {}"),
    _("there is no key {}; it has no keys"),
    _("there is no name {}; did you mean {}?"),
    _("there is no name {} among the fields, the body, the globals and the constants"),
    _("{} is an object, use a key; there are: {}"),
    _("{} is an object, use a key; it has no keys"),
    _("{} is empty (null), there is nothing at {}"),
    _("{} is a single value, there is nothing at {}"),
    _("{} is a list, use {}[0]"),
    _("{} is an empty list"),
    _("{} has {} items, the last one is {}"),
)

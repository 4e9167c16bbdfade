"""The two ways in which a template, a path or a pattern can go wrong."""


class TemplateError(Exception):
    """A template or a path that cannot be read. It is known before anything runs, so it blocks publishing.

    `code` is one of `unclosed`, `empty_place`, `syntax`, `unknown_filter`, `wrong_arguments`, `too_long`,
    `too_many_places`, `too_many_filters`; `column` counts characters of the source from 1.
    """

    def __init__(self, code: str, message: str, column: int = 1) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.column = column


class TemplateFailure(Exception):
    """A template, a comparison or a pattern that could be read, but not with these values.

    `code` is `template_error`, `calc_error` for arithmetic, or `bad_pattern` for a regular expression.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

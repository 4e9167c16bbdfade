"""The Russian of everything people read. English stands in the code; `ru/<subject>.po` holds the Russian, and
`python -m hub.web.translations` builds the one catalogue that the product loads and says what is missing."""

"""How big and how deep a request may be. Sizes are bytes, lengths are characters."""

body_bytes = 1024 * 1024

json_depth = 32
json_keys = 10_000
json_values = 20_000
list_items = 10_000
json_key_length = 256
string_length = 256 * 1024
number_length = 128
number_exponent = 308

query_bytes = 8190
query_parameters = 200

form_fields = 1000
bracket_depth = 16
field_name_length = 512
bracket_length = 128

multipart_parts = 100
multipart_field_bytes = 500_000
boundary_length = 70

event_key_length = 255
notes_of_a_kind = 20

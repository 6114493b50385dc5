"""What a finished run shows: the report (one self-contained HTML page) and the model card (Markdown).

Everything here takes plain data (figures, arrays, counts) and returns text or pictures. The stages read that data from
the data folder and publish the result. HTML, CSS and Markdown are Jinja2 templates in `templates/`.
"""

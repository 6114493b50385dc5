"""How stages publish: whole files under their final names, a manifest for each step, one run a folder.

Standard library only, because the half that trains uses it on machines where little else is installed.
"""

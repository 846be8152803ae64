"""Third parties' apps, as staff register them in the Wagtail admin.

addresses  where an app may have people sent back to
forms      the form, in words of people who never read a specification
admin      lists and pages
roles      who may do it
"""

"""The top floor as a Django app."""

from django.apps import AppConfig


class AdoptionConfig(AppConfig):
    """Measures, signals, incidents, post-mortems, lessons."""

    name = "adoption"
    verbose_name = "Adoption"

    def ready(self):
        """Hang the tab, the desk lines and what is due on the hooks below."""
        from adoption import desk, reminders, words
        from governance import hooks
        from initiatives.words import SENTENCES

        hooks.case_tabs.append(hooks.CaseTab("Lessons", "lessons", position=80))
        hooks.desk_lines.append(desk.lines)
        hooks.due_queries += reminders.QUERIES
        hooks.notice_verbs |= reminders.VERBS
        SENTENCES.update(words.SENTENCES)

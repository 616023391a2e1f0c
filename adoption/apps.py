"""The top floor as a Django app."""

from django.apps import AppConfig


class AdoptionConfig(AppConfig):
    """Measures, signals, incidents, post-mortems, lessons."""

    name = "adoption"
    verbose_name = "Adoption"

    def ready(self):
        """Hang the tab, the desk lines and what is due on the hooks below."""
        from adoption import (
            agendas,
            calendar_days,
            desk,
            desk_incidents,
            desk_lessons,
            mending,
            pulse_reminders,
            register,
            reminders,
            reminders_incidents,
            reports,
            saying,
            sealing,
            unanswered,
            words,
        )
        from adoption.actions.lessons import offer_of
        from adoption.views import lessons
        from governance import hooks
        from initiatives.register import KINDS, MORE_SAYS, UNLESS
        from initiatives.search import GROUPS
        from initiatives.words import SENTENCES, WAYS

        hooks.case_tabs.append(hooks.CaseTab("Incidents", "incidents", position=59))
        hooks.case_tabs.append(hooks.CaseTab("Lessons", "lessons", position=80))
        hooks.desk_lines += [desk.lines, desk_incidents.lines, desk_lessons.lines]
        hooks.quiet_acts |= desk.QUIET | desk_incidents.QUIET | desk_lessons.QUIET | words.QUIET
        for module in (reminders, reminders_incidents, pulse_reminders):
            hooks.due_queries += module.QUERIES
            hooks.notice_verbs |= module.VERBS
        hooks.reports += reports.REPORTS
        hooks.case_tabs.append(hooks.CaseTab("Adoption", "adoption", position=58))
        MORE_SAYS.extend([saying.behaviour, register.says, unanswered.says])
        UNLESS.update(register.undeclared())
        KINDS.update(mending.MENDS)
        hooks.mends |= mending.MENDS
        hooks.sealed_batches.append(sealing.broken)
        hooks.calendar_days.append(calendar_days.days)
        hooks.decided_where.append(agendas.where_decided)
        hooks.readings.append("pack taken")
        hooks.secrecy_changed.append(offer_of)
        hooks.parts["review"].append(lessons.beside_review)
        hooks.parts["registering"].append(lessons.beside_registering)
        hooks.parts["link"].append(lessons.beside_link)
        GROUPS["lessons"] = ("Lessons", lessons.found)
        SENTENCES.update(words.SENTENCES)
        WAYS.update(words.WAYS)

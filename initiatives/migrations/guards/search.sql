-- Former titles are found by their words.

CREATE INDEX former_titles_by_words ON initiatives_historicalinitiative USING gin (plumbline_words(title));

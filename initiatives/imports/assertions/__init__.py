"""What sources assert over time: moves between two lists, answers, practices; shown beside findings, never counted."""

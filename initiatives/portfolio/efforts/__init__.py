"""Notes and effort of one initiative, typed or from an issue tracker."""

"""Jobs in order: training requests one after another, samples side by side."""

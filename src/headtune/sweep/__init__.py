"""Many settings on one trunk: ``headtune sweep``.

    space.py -> workbench.py -> trial.py -> search.py -> run.py (the winner's run) -> picture.py

``space.py`` alone needs no Optuna, which comes with ``pip install 'headtune[sweep]'``.
"""

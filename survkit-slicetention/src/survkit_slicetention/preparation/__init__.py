"""From a chest CT in HU to a stack of slices, as the paper prepares it.

Once per subject: find the lungs, resample, keep their slices, cut one box, resize
(``slice_stack``). With what training subjects taught: ``scaled`` and ``PixelMoments``. Drawn anew
in training: ``augmented``.
"""

"""The items of TRIPOD+AI in their order, in this project's words.

Reference: Collins, Moons, Dhiman and others (2024), TRIPOD+AI statement, BMJ 385, e078378. Numbers
and order are theirs; the words are not, so a submission needs their form.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Item:
    """One item of the checklist.

    Attributes:
        number: As in the statement.
        topic: The statement's topic.
        asks: What a reader needs to be told.
        here: Anchors of the page that tell (a part of) it, each with the words of its link.
        authors: What only the authors can tell; empty where the page tells all.
    """

    number: str
    topic: str
    asks: str
    here: tuple[tuple[str, str], ...] = ()
    authors: str = ""


_COHORT, _TABLE1 = ("cohort", "Subjects"), ("t-table-1", "Table 1")
_PARTS, _PROTOCOL = ("t-folds-subjects", "Parts of each fold"), ("protocol", "Protocol")
_RECIPE, _RESULTS = ("recipe", "Recipe"), ("cause-1", "Results")
_SITES = (("t-sites", "Site by site"), ("t-cause-1-sites", "Site by site"))
_COMPARED = ("comparison", "Comparison of runs")

TITLE_TO_OBJECTIVES = (
    Item("1", "Title", "That a prediction model is developed or evaluated, for whom, of what."),
    Item("2", "Abstract", "A structured abstract, by the statement's list for abstracts."),
    Item("3a", "Background", "The clinical question, why a model, and which models exist."),
    Item("3b", "Background", "For whom it is meant, where in care, and who would use it."),
    Item("3c", "Background", "Known differences in health or care between groups of people."),
    Item("4", "Objectives", "What the study set out to do: develop, evaluate, or both."),
)

METHODS = (
    Item("5a", "Data", "Where the data come from and whom they represent."),
    Item("5b", "Data", "When subjects were recruited and followed until."),
    Item(
        "6a",
        "Participants",
        "Setting, number and place of the centres.",
        (("t-sites-subjects", "Sites"),),
        "setting and place of the centres",
    ),
    Item(
        "6b",
        "Participants",
        "Who was eligible.",
        (("cohort", "Flow of subjects"),),
        "eligibility, and what was removed before the table was made",
    ),
    Item("6c", "Participants", "Which treatments were given, and how the analysis treats them."),
    Item(
        "7",
        "Data preparation",
        "Cleaning and preparation, and whether it was alike for all groups.",
        (_PROTOCOL, _RECIPE),
        "what was done before the table was made, and quality checks",
    ),
    Item(
        "8a",
        "Outcome",
        "The outcome, its horizon, and how and when it was ascertained.",
        (_PROTOCOL,),
        "definition and ascertainment",
    ),
    Item("8b", "Outcome", "Who judged the outcome, where that takes judgement."),
    Item("8c", "Outcome", "Whether those who judged it were blinded."),
    Item("9a", "Predictors", "Why these predictors were considered."),
    Item(
        "9b",
        "Predictors",
        "Every predictor, how and when it was measured.",
        (_TABLE1, _RECIPE),
        "definition, and how and when each was measured",
    ),
    Item("9c", "Predictors", "Who judged a predictor, where that takes judgement."),
    Item(
        "10",
        "Sample size",
        "How large the study is and why that is enough.",
        (_RESULTS,),
        "the reasons",
    ),
    Item(
        "11",
        "Missing data",
        "What is missing, and what was done about it.",
        (_COHORT, _TABLE1, _PROTOCOL),
        "why it is missing",
    ),
    Item(
        "12a",
        "Analytical methods",
        "How the data were divided between development and evaluation.",
        (_PROTOCOL, _PARTS),
    ),
    Item(
        "12b",
        "Analytical methods",
        "How predictors enter the model: scaling, transformation, coding.",
        (_PROTOCOL, _RECIPE),
        "the details of each component, from its documentation",
    ),
    Item(
        "12c",
        "Analytical methods",
        "Kind of model, how it was built and tuned, and internal validation.",
        (_PROTOCOL, _RECIPE),
        "why this model",
    ),
    Item(
        "12d",
        "Analytical methods",
        "How differences between centres were looked at.",
        _SITES,
        "how centres are modelled, if they are",
    ),
    Item(
        "12e",
        "Analytical methods",
        "Measures and plots of performance, and how models are compared.",
        (("meaning", "What the numbers mean"), _RESULTS, _COMPARED),
        "clinical usefulness, such as net benefit at chosen thresholds",
    ),
    Item("12f", "Analytical methods", "Any updating (recalibration) after evaluation."),
    Item("12g", "Analytical methods", "How the evaluated predictions were computed.", (_PROTOCOL,)),
    Item("13", "Class imbalance", "Whether and how imbalance was treated, and its consequences."),
    Item("14", "Fairness", "What was done about fairness between groups of people, and why."),
    Item(
        "15",
        "Model output",
        "What the model gives: probability, score, class.",
        (_PROTOCOL,),
        "thresholds, where there are any",
    ),
    Item(
        "16",
        "Training versus evaluation",
        "How training and evaluation data differ.",
        (_PARTS,),
        "everything but the parts' sizes; both are parts of one cohort here",
    ),
    Item("17", "Ethical approval", "Approval and consent."),
)

OPEN_SCIENCE = (
    Item("18a", "Funding", "Who paid and what their part was."),
    Item("18b", "Conflicts of interest", "Of all authors."),
    Item("18c", "Protocol", "Where the study protocol can be read, or that there is none."),
    Item("18d", "Registration", "Where the study was registered, or that it was not."),
    Item("18e", "Data sharing", "Whether and how the data can be had."),
    Item(
        "18f",
        "Code sharing",
        "Whether and how the code can be had.",
        (_PROTOCOL, _RECIPE),
        "where code and recipe can be had",
    ),
    Item("19", "Patient and public involvement", "Any involvement, or that there was none."),
)

RESULTS = (
    Item(
        "20a",
        "Participants",
        "The flow of subjects, outcomes and follow-up; a diagram helps.",
        (("cohort", "Flow of subjects"),),
    ),
    Item(
        "20b",
        "Participants",
        "Characteristics overall and by setting, with what is missing.",
        (_TABLE1,),
        "dates, treatments, and groups that the table does not hold",
    ),
    Item("20c", "Participants", "How predictors differ between evaluation and development data."),
    Item(
        "21",
        "Model development",
        "Subjects and events in each analysis.",
        (_PARTS,),
    ),
    Item(
        "22",
        "Model specification",
        "The whole model, so that others can predict with it, and how to get it.",
        (_RECIPE,),
        "where the trained model can be had",
    ),
    Item(
        "23a",
        "Model performance",
        "Estimates with intervals, also in key groups; plots.",
        (_RESULTS,),
        "groups of people that matter for the question",
    ),
    Item("23b", "Model performance", "How performance differs between centres.", _SITES),
    Item("24", "Model updating", "Results of any updating."),
)

DISCUSSION = (
    Item("25", "Interpretation", "What the results mean, beside earlier studies, and fairness."),
    Item(
        "26",
        "Limitations",
        "What may be wrong or not carry over, and in which direction.",
        (("cautions", "Before these numbers are used"),),
        "all that a program cannot know",
    ),
    Item("27a", "Usability", "What to do in care where input data are poor or not there."),
    Item("27b", "Usability", "What users have to do, and what they need to know for it."),
    Item("27c", "Usability", "What is to be studied next."),
)

PARTS = {
    "Title, abstract, introduction": TITLE_TO_OBJECTIVES,
    "Methods": METHODS,
    "Open science, patient and public involvement": OPEN_SCIENCE,
    "Results": RESULTS,
    "Discussion": DISCUSSION,
}

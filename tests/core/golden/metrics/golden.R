# Reference values for concordance, Kaplan-Meier and Aalen-Johansen from R's package survival.
# Run in this folder: Rscript golden.R  (writes golden.json; needs only base R and survival)
library(survival)
data(cancer, package = "survival")

number <- function(x) paste0("[", paste(ifelse(is.na(x), "null", formatC(x, digits = 17, format = "g")), collapse = ","), "]")
object <- function(...) {
  parts <- list(...)
  paste0("{", paste(sprintf("\"%s\": %s", names(parts), unlist(parts)), collapse = ",\n "), "}")
}
text <- function(x) paste0("\"", x, "\"")

# Data with many ties: veteran lung cancer trial; score = minus Karnofsky index (tied scores).
v <- veteran
harrell <- concordance(Surv(time, status) ~ karno, data = v)
harrell_age <- concordance(Surv(time, status) ~ age, data = v)
harrell_weight <- concordance(Surv(time, status) ~ karno, data = v, weights = v$diagtime)
harrell_strata <- concordance(Surv(time, status) ~ karno + strata(trt), data = v)
entry <- ifelse(seq_len(nrow(v)) %% 3 == 0, pmin(v$time / 2, 40), 0)
harrell_entry <- concordance(Surv(entry, v$time, v$status) ~ v$karno)

km <- survfit(Surv(time, status) ~ 1, data = v, conf.type = "log-log")
km_weight <- survfit(Surv(time, status) ~ 1, data = v, weights = v$diagtime, robust = FALSE, conf.type = "log-log")
km_entry <- survfit(Surv(entry, v$time, v$status) ~ 1, conf.type = "log-log")
asked <- c(1, 50, 100, 200, 400)

# Competing risks: monoclonal gammopathy, progression (1) before death (2).
g <- mgus2
etime <- with(g, ifelse(pstat == 0, futime, ptime))
event <- with(g, ifelse(pstat == 0, 2 * death, 1))
aj <- survfit(Surv(etime, factor(event, 0:2)) ~ 1)
months <- c(12, 60, 120, 240)
aj_at <- summary(aj, times = months)

curve <- function(fit) {
  s <- summary(fit, times = asked, extend = TRUE)
  object(survival = number(s$surv), lower = number(s$lower), upper = number(s$upper))
}
result <- object(
  made_by = text(paste(R.version.string, "survival", packageVersion("survival"))),
  veteran = object(duration = number(v$time), event = number(v$status), karno = number(v$karno),
                   age = number(v$age), diagtime = number(v$diagtime), trt = number(v$trt), entry = number(entry)),
  concordance = object(karno = number(coef(harrell)), age = number(coef(harrell_age)),
                       weight = number(coef(harrell_weight)), strata = number(coef(harrell_strata)),
                       entry = number(coef(harrell_entry)),
                       karno_counts = number(harrell$count), entry_counts = number(harrell_entry$count)),
  times = number(asked), km = curve(km), km_weight = curve(km_weight), km_entry = curve(km_entry),
  at_risk = number(summary(km, times = asked)$n.risk), at_risk_entry = number(summary(km_entry, times = asked)$n.risk),
  mgus2 = object(duration = number(etime), event = number(event)),
  months = number(months), aj = object(progression = number(aj_at$pstate[, 2]), death = number(aj_at$pstate[, 3]))
)
writeLines(result, "golden.json")

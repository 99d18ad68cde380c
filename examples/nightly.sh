#!/bin/sh
# Every night: encode new items, retrain from yesterday's run in a few epochs, recommend for everybody.
# Usage: nightly.sh TODAY [YESTERDAY]; the first night has no yesterday. Run it where log.csv and items.csv are.
set -eu
today=$1
yesterday=${2:-}
recipe=${RECIPE:-recipe.yaml}

if [ -z "$yesterday" ]; then
    prism-rec embed --items items.csv --fields title --fields genres --encoder hashed-text --out vectors/text
else
    prism-rec embed --items items.csv --like vectors/text --out vectors/text
fi

prism-rec prepare --source table --interactions log.csv --items items.csv --features text=vectors/text \
    --allow-unknown-features --out "data/$today"

if [ -z "$yesterday" ]; then
    prism-rec train "$recipe" --data "data/$today" --out "runs/$today"
else
    prism-rec train "$recipe" --data "data/$today" --from "runs/$yesterday" --out "runs/$today" \
        --set "train.epochs=${EPOCHS:-3}"
fi

# Products without an event are not in the data: they join the run by their texts.
prism-rec add-items "runs/$today" --items items.csv --skip-known --out "runs/$today-all"

prism-rec recommend "runs/$today-all" --all-users --k 20 --replace --out "recommendations-$today.parquet"

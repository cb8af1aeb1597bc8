#!/bin/sh
# Stands in for a Python in the tests: says what PRETEND asks for, in the form of src/jobs.py.

answer='{"cpu_s": 0.02, "used_s": [0.5, 0.0], "jobs": [
    {"start_s": 0.0, "end_s": 0.01, "total": 5},
    {"start_s": 0.0, "end_s": 0.01, "total": 5}]}'

hello() {
    echo '{"version": "'"$1"'", "implementation": "pretend", "gil": '"$2"'}'
}

# Answers as many commands as $1 says, then ends.
serve() {
    left=$1
    while [ "$left" -gt 0 ] && read -r _; do
        echo "$answer" | tr -d '\n'
        echo
        left=$((left - 1))
    done
}

case "$PRETEND" in
    without-gil) hello 3.99.0 false; serve 1000 ;;
    unknown) hello 3.99.0 null; serve 1000 ;;
    old) hello 2.7.18 null ;;
    # The calibration and a first round, and no more.
    ends) hello 3.99.0 true; serve 3; echo 'MemoryError' >&2 ;;
    # Adds up on one thread, and not on two.
    wrong)
        hello 3.99.0 true
        while read -r way _; do
            [ "$way" = threads ] && answer=$(echo "$answer" | sed 's/"total": 5/"total": 7/')
            echo "$answer" | tr -d '\n'
            echo
        done
        ;;
    # Says who it is, and then nothing; neither Ctrl-C nor the end of its input ends it.
    hangs)
        trap '' INT
        hello 3.99.0 true
        echo $$ > "$PRETEND_PID.new" && mv "$PRETEND_PID.new" "$PRETEND_PID"
        exec sleep 600
        ;;
    # Silent until nobody is left to talk to.
    *) while read -r _; do :; done ;;
esac

#!/bin/sh
# Stands in for a Python in the tests: says what PRETEND asks for, in the form of src/jobs.py.

answer='{"used_s": [0.5, 0.0], "jobs": [
    {"start_s": 0.0, "end_s": 0.01, "busy_s": 0.01, "total": 5},
    {"start_s": 0.0, "end_s": 0.01, "busy_s": 0.01, "total": 5}]}'

hello() {
    echo '{"title": "'"$1"'", "is_old": '"$2"', "gil": '"$3"'}'
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
    without-gil) hello "pretend 3.99.0, GIL off" false false; serve 1000 ;;
    unknown) hello "pretend 3.99.0, GIL unknown" false null; serve 1000 ;;
    old) hello "Python 2.7.18" true null ;;
    # The calibration and a first round, and no more.
    ends) hello "pretend 3.99.0, GIL on" false true; serve 3; echo 'MemoryError' >&2 ;;
    # Adds up on one thread, and not on two.
    wrong)
        hello "pretend 3.99.0, GIL on" false true
        while read -r way _; do
            [ "$way" = threads ] && answer=$(echo "$answer" | sed 's/"total": 5/"total": 7/')
            echo "$answer" | tr -d '\n'
            echo
        done
        ;;
    # Says who it is, and then nothing; neither Ctrl-C nor the end of its input ends it.
    hangs)
        trap '' INT
        hello "pretend 3.99.0, GIL on" false true
        echo $$ > "$PRETEND_PID.new" && mv "$PRETEND_PID.new" "$PRETEND_PID"
        exec sleep 600
        ;;
    # Silent until nobody is left to talk to.
    *) while read -r _; do :; done ;;
esac

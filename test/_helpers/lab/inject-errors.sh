# bash inject-errors.sh FOLDER LIMIT CALL ERROR WHEN FROM GRACE
#
# Loads the rules of FOLDER/after4 and after6, has the watchdog of change 2 wait LIMIT seconds, and lets a
# system call of the watchdog and of all that it starts fail: each one for 3 s, or, where WHEN is not 0, the
# first ones that are a process's call number WHEN. FROM is when that begins, GRACE how long the way back may
# take, both in hundredths of a second after the limit. Prints when the rules were those of FOLDER/before, or
# "never", and how many calls have failed.
cd "$1" || exit 1
limit=$2 call=$3 error=$4 when=$5 from=$6 grace=$7
change=/var/lib/fw-wizard/changes/2
clock() { read -r now rest </proc/uptime; now=${now%.*}${now#*.}; }
rules() { { iptables-save; ip6tables-save; } | sed -e '/^#/d' -e 's/\[[0-9]*:[0-9]*\]//'; }
until_time() { clock; [ "$now" -ge "$1" ] || sleep "$(printf %d.%02d $((($1 - now) / 100)) $((($1 - now) % 100)))"; }
# Without the sleep(1) of one second that the watchdog has now: it would end while it is attached to.
group() {
	for stat in /proc/[0-9]*/stat; do
		read -r line 2>/dev/null <"$stat" && set -- ${line##*) } && [ "$3" = "$leader" ] || continue
		case $line in *'(sleep)'*) [ "$2" != "$leader" ] || continue ;; esac
		echo "-p ${stat//[!0-9]}"
	done
}

iptables-restore <after4 && ip6tables-restore <after6 || exit 1
rm -f $change/rolling $change/rolled-back
: >$change/pending
: >ready
setsid sh $change/rollback wait "$limit" >ready 2>/dev/null &
leader=$!
until [ -s ready ]; do kill -0 $leader 2>/dev/null || exit 1; sleep 0.02; done
clock
end=$((now + limit * 100))
until_time $((end + from))
[ "$when" = 0 ] || number=:when=$when
# A process may end just before it is attached to.
for try in 1 2 3 4 5; do
	: >failed
	strace -f -qq -o failed -e trace="$call" -e inject="$call:error=$error$number" $(group) 2>/dev/null &
	tracer=$!
	sleep 0.1
	kill -0 $tracer 2>/dev/null && break
done
if [ "$when" = 0 ]; then until_time $((end + from + 300)); else
	until clock; grep -q INJECTED failed || [ "$now" -ge $((end + from + 300)) ]; do sleep 0.01; done
fi
kill -INT $tracer
for try in 1 2 3 4 5; do kill -0 $tracer 2>/dev/null || break; sleep 0.1; done
kill -KILL $tracer 2>/dev/null
back=never
while clock; [ "$now" -lt $((end + grace)) ]; do
	rules | cmp -s - before && { clock; back=$((now - end)); break; }
	sleep 0.1
done
[ $back != never ] || rules | diff before - >&2
echo "$back $(grep -c INJECTED failed)"
kill -KILL -$leader 2>/dev/null
exit 0

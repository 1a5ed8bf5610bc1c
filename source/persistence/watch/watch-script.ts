import {
	LOCK_FILE,
	RESTORE_FILE,
	WATCH_CHOICE_FILE,
	WATCH_MOTD_FILE,
	WATCH_STATE_DIR,
} from '../../change/paths.ts';
import {CHOOSE_IPTABLES, printChoice} from '../../host/netfilter/choose-iptables.ts';
import {cksum} from '../../lib/cksum.ts';
import {quote} from '../../lib/shell-quote.ts';
import {GROUP_PREFIX} from '../../ruleset/model.ts';
import {RUN_RESTORE} from '../init/run-restore.ts';
import {SUM_LINE} from '../restore-script.ts';
import {JUDGE} from './judge-rules.ts';
import {MESSAGE_IDS, printPassOn} from './pass-on-findings.ts';
import {TELL} from './tell-findings.ts';
import {VIEW} from './view-rules.ts';
import {printAlone, printJump, printView, type WatchedFamily} from './watched-family.ts';

/** How the init system is asked whether it will run the restore script. */
export type WatchedService = {
	/** A command of POSIX sh that only looks at files. */
	readonly enabled: string;
	/** The name of the unit of systemd, or of the script. */
	readonly name: string;
};

/** After a boot it looks for so many seconds, at first each second, then each 2 s. */
const [BOOT_SECONDS, EAGER_SECONDS] = [180, 60];
/** Where systemd still boots then, so much longer at a time, but at most so long in all. */
const [MORE_SECONDS, MOST_SECONDS] = [30, 900];
/** So many repairs within so many seconds; then it only reports. */
const [REPAIRS, REPAIR_SECONDS] = [3, 600];

/**
 * The watch over the loaded rules: a POSIX sh script with awk(1). It compares what the kernel has with what the
 * restore script loads, tried in a network namespace of its own where that is possible, and what stands before
 * our jump in INPUT with what stood there when the change was confirmed.
 *
 * `sh watch boot` looks again and again in the minutes after a boot, and runs the restore script where chains or
 * jumps of ours are gone or changed; `start` does so in the background; `look` looks once, and repairs where the
 * user has chosen that; `compare` prints what differs now, and does nothing about it; `record` writes down what is
 * there now. Rules of others are left alone, and everything
 * while a change of fw-wizard is under way. After the third repair within ten minutes it only reports.
 *
 * What it finds it tells the journal, or syslog; whoever logs in; the program of --notify; the file of --textfile;
 * and `fw-wizard check`, by a file. `look` ends with 1 while something is wrong.
 * @param goesOn whether `start` goes on after the boot, where neither a timer nor cron looks then
 */
export function printWatchScript(
	families: readonly WatchedFamily[],
	{enabled, name}: WatchedService,
	goesOn: boolean,
): string {
	const script = `# Written by fw-wizard: looks whether its firewall rules are still loaded and reached.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/run/current-system/sw/bin
LC_ALL=C
export PATH LC_ALL
umask 077
state=${WATCH_STATE_DIR}

${CHOOSE_IPTABLES}
# Table $2 of family $1, twice.
table() {
	echo "$mark $1 $2"
	"$tool-save" -t "$2" && "$tool-save" -t "$2" -c || echo failed
}

# What counts of all tables.
view() {
	read -r mark </proc/sys/kernel/random/uuid
	{
${families.map(printView).join('')}	} 2>&1 | awk -v "mark=$mark" ${quote(VIEW)}
}

# The counters of all tables.
counted() {
${families.map(({family, program}) => `${printChoice(program)}\techo "$mark ${family}"; "$tool-save" -c\n`).join('')}}

complete() {
${families.map(printJump).join('')}}

# Our chain $4 of the table $2 of family $1, and the jump from $3, where iptables cannot print all of the table.
alone() {
	case $seen in *"unread $1 $2"*) ;; *) return ;; esac
	"$tool" -w 10 -t "$2" -S "$4" | sed -n "s/^-A /own $1 $2 -A /p"
	nft list chain "ip\${1#4}" "$2" "$3" |
		sed -n "s/^[[:space:]]*counter packets [0-9]* bytes [0-9]* jump $4$/own $1 $2 -A $3 -j $4/p"
} 2>/dev/null

# The same for the groups of family $1, to which chain $2 jumps.
alone_groups() {
	for group in $("$tool" -w 10 -S "$2" | sed -n 's/.* -j \\(${GROUP_PREFIX}[a-z0-9-]*\\)$/\\1/p' | sort -u); do
		alone "$1" filter "$2" "$group"
	done
} 2>/dev/null

# Sets $seen to what is loaded.
see() {
	seen=$(view)
	case $seen in *'unread '*) ;; *) return ;; esac
	seen=$(
		printf '%s\n' "$seen"
${families.map(printAlone).join('')}	)
}

${JUDGE}
${TELL}
${printPassOn(families.map(({family}) => family).join(' '))}
# What is wrong with the service that loads the rules at boot. $1: look, where there is time to ask systemd.
service() {
	is_whole || echo 'boot ${RESTORE_FILE} is missing or was changed: the next boot does not load all rules'
	${enabled} || { echo 'boot ${name} is not enabled: the next boot does not load the rules'; return; }
	[ "$1" = look ] && [ -d /run/systemd/system ] || return
	case $(systemctl is-active ${name}) in
	active | activating | reloading) ;;
	*) echo 'unit ${name} does not run: it loads the rules again where another service replaces them' ;;
	esac
}

# Whether repairing has been in vain. Leaves in $again when it was done lately.
is_in_vain() {
	again=
	for at in $repairs; do [ "$at" -le $((now - ${REPAIR_SECONDS})) ] || again="$again$at "; done
	set -- $again
	[ "$#" -ge ${REPAIRS} ]
}

# Runs the restore script. Sets $found to what is wrong afterwards, or $outcome.
repair() {
	repairs=$again$now total=$((total + 1))
	(
		exec 8<&-
${RUN_RESTORE}
	) >/dev/null 2>&1
	outcome="Repairing failed: the restore script ended with $?"
	see
	found=$(differences)
	case $found in ours*) ;; *) outcome= mended=$before ;; esac
}

# $1: boot, or look.
look() {
	uptime
	! is_changing || return 0
	if [ -f ${LOCK_FILE} ]; then
		exec 8<${LOCK_FILE}
		flock -n 8 || { exec 8<&-; return 0; }
	fi
	judge
	outcome= mended= before=$found told=$repairs
	case $found in
	ours*)
		if is_in_vain; then
			outcome='Not repaired any more: ${REPAIRS} times in ten minutes were in vain'
		elif case $seen in *'unread '*) ;; *) false ;; esac; then
			outcome='Not repaired: the restore script could not detect whether an earlier rule bypasses the firewall'
		elif case $1$mode in lookreport | *off) false ;; esac; then
			repair
		fi
		;;
	esac
	wrong=$(service "$1") next=1
	case $wrong in boot*) next=0 ;; esac
	[ -z "$found$wrong" ] || wrong=$(printf '%s\\n' "$found" "$wrong" | sed -n 's/^[a-z]* \\(.\\)/\\1/p')
	[ -z "$wrong" ] || wrong="$wrong
"
	[ -z "$outcome" ] || wrong="$wrong$outcome
"
	if [ -n "$mended" ]; then
		mended=$(printf '%s\\n' "$mended" | sed -n 's/^ours //p' | in_one_line)$(suspects "$good")
		say ${MESSAGE_IDS.repaired} "$mended. Repaired"
		last="$(date -u +%Y-%m-%dT%H:%M:%SZ) $mended"
	fi
	if [ "$wrong" != "$open" ]; then
		if [ -n "$wrong" ]; then
			say ${MESSAGE_IDS.drift} "The firewall is not as it was confirmed: $(printf '%s' "$wrong" | in_one_line)$(suspects "$good")"
		else
			say ${MESSAGE_IDS.restored} 'The firewall is as it was confirmed again'
		fi
		[ -n "$open" ] || since=$(date -u +%Y-%m-%dT%H:%M:%SZ)
		open=$wrong
		keep
	elif [ "$repairs" != "$told" ]; then
		keep
	fi
	forget
	good=$now
	[ ! -e ${LOCK_FILE} ] || exec 8<&-
	pass_on
	write_metrics
}

# In the minutes after a boot.
boot() {
	rm -f "$state/found" "$state/looked"
	remember
	keep
	uptime
	begun=$now end=$((now + ${BOOT_SECONDS}))
	while [ "$now" -lt "$end" ] && [ -f "$0" ]; do
		look boot
		sleep "$((now - begun < ${EAGER_SECONDS} ? 1 : 2))"
		uptime
		[ "$now" -lt "$end" ] || [ "$now" -ge "$((begun + ${MOST_SECONDS}))" ] || [ ! -d /run/systemd/system ] ||
			case $(systemctl is-system-running) in initializing | starting) end=$((now + ${MORE_SECONDS})) ;; esac
	done
}

# Whether the restore script is undamaged.
is_whole() {
	{ IFS= read -r sum && { ! command -v cksum >/dev/null || [ "$sum" = "${SUM_LINE}$(cksum)" ]; }; } 2>/dev/null <${RESTORE_FILE}
}

main() {
	mode=report every=300 notify= textfile= recalled=
	{
		read -r mode every
		while read -r key rest; do
			case $key in
			notify) notify=$rest ;;
			textfile) textfile=$rest ;;
			esac
		done
	} 2>/dev/null <${WATCH_CHOICE_FILE}
	case $1 in
	boot)
		boot
		wait
		;;
	look)
		remember
		look look
		echo "$now" >"$state/looked"
		wait
		[ -z "$open" ]
		;;
	compare)
		# Nothing is recorded by it. 3: it could not be compared.
		put() { :; }
		judge
		[ -n "$seen" ] || return 3
		only front "$seen" | tr -c '\\040-\\176\\n' '?'
		printf '%s\\n' "$found"
		service look
		return 0
		;;
	record)
		IFS= read -r generation <${RESTORE_FILE} || return
		see
		begin
		remember
		repairs= last= open= since= notified=
		if [ "$total" -gt 0 ]; then keep; else rm -f "$state/found" ${WATCH_MOTD_FILE}; fi
		;;
	expected)
		# What is done to the policies of a namespace is no note for this machine.
		! [ /proc/self/ns/net -ef "/proc/$PPID/ns/net" ] || return
		is_whole && CLOSED=/dev/null/ /bin/sh ${RESTORE_FILE} >/dev/null 2>&1 && seen=$(view) && [ -n "$seen" ] &&
			printf '%s\\n' "$seen" || echo failed
		;;
	start)
		(setsid /bin/sh "$0" stay </dev/null >/dev/null 2>&1 &)
		;;
	stay)
		# One at a time: ifupdown starts it for each interface.
		exec 7<"$0" && flock -n 7 || return 0
		boot
${goesOn ? '		while sleep "$every" && [ -f "$0" ]; do look look; done\n' : '		:\n'}		;;
	esac
}
main "$@"
`;
	return `${SUM_LINE}${cksum(script)}\n${script}`;
}

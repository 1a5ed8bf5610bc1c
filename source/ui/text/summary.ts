import {describeUndone} from '../../app/undo-change.ts';
import {type Existing, existingFlags} from '../../existing/cleanup-plan.ts';
import {commandLine} from '../../lib/command-line.ts';
import {quoteIfNeeded} from '../../lib/shell-quote.ts';
import {describeEvery} from '../../persistence/watch/choice.ts';
import {shortOpening} from '../../policy/opening.ts';
import {type Policy, policyFlags} from '../../policy/policy.ts';
import {nmapCommands} from '../../proof/nmap/commands.ts';
import type {ExitReason} from '../state/exit-reason.ts';

type Summary = {
	/** The text that the terminal shows after the wizard, in whole lines. */
	readonly text: string;
	/**
	 * 0: confirmed, or only looked at. 3: failed on the way. 4: rolled back. 130: the wizard was left before
	 * anything was loaded.
	 */
	readonly exitCode: 0 | 3 | 4 | 130;
};

type SummaryContext = {
	/** The policy that was confirmed last, if it can be read. */
	readonly policy: Policy | undefined;
	/** What the user decided about the existing rules of other programs. */
	readonly existing: Existing;
	/** The init system that loads the rules at boot, as `systemd`. */
	readonly boot: string | undefined;
	/** How often the loaded rules are looked at, in seconds; undefined where they are not. */
	readonly watchedEvery: number | undefined;
	/** An address at which other hosts reach this machine. */
	readonly address: string | undefined;
	readonly rehearsal: boolean;
};

/** Says what was done, where it is saved, how to undo it, and what to do next. */
export function summarize(
	reason: Exclude<ExitReason, {elevation: unknown}>,
	context: SummaryContext,
): Summary {
	if (reason === 'looked') {
		const text = `The checklist again: ${commandLine('check')}\n`;
		return {text, exitCode: 0};
	}

	if (reason !== undefined && 'undone' in reason) {
		return {text: `${describeUndone(reason.undone)}\n`, exitCode: 0};
	}

	if (reason?.ok) {
		return {text: `${[reason.message, ...describeKept(context)].join('\n')}\n`, exitCode: 0};
	}

	if (reason?.rolledBack || reason?.unsure) {
		const next = reason.rolledBack
			? `To try again: ${commandLine()}`
			: `To see what is loaded: ${commandLine('status')}`;
		const text = `${reason.message}. ${reason.hint}.\n${next}\n`;
		return {text, exitCode: reason.rolledBack ? 4 : 3};
	}

	return {text: 'Nothing was changed.\n', exitCode: 130};
}

function describeKept({
	policy,
	existing,
	boot,
	watchedEvery,
	address = 'HOST',
	rehearsal,
}: SummaryContext): readonly string[] {
	const flags = [
		...(policy === undefined ? [] : policyFlags(policy).map(quoteIfNeeded)),
		...existingFlags(existing),
	];
	return [
		...(policy === undefined ? [] : [describePolicy(policy)]),
		...(rehearsal
			? [
					'That was a rehearsal: the machine itself is as it was, and nothing is saved.',
					`To do it there, as root: ${commandLine(flags.join(' '))}`,
				]
			: [
					`To undo it: ${commandLine('undo')}`,
					`Saved in /etc/fw-wizard${boot === undefined ? '; nothing loads it at boot' : `, and loaded at boot by ${boot}`}.`,
					...(watchedEvery === undefined
						? []
						: [
								`Watched after a boot, and every ${describeEvery(watchedEvery)}: ${commandLine('watch on|off|status')}`,
							]),
					'What to do next:',
					`  from another machine, its TCP ports, in about 2 minutes: ${nmapCommands(address).fast}`,
					`  here, with its result: ${commandLine('prove --nmap scan.xml')}`,
					`  after the next boot: ${commandLine('check')}`,
				]),
	];
}

function describePolicy({openings, verdict, helpers, log, published}: Policy): string {
	return [
		`Open: ${openings.length === 0 ? 'nothing' : openings.map(shortOpening).join(', ')}.`,
		`The rest: ${verdict}${log ? ', logged' : ''}.`,
		...(published === 'policy' ? ['The same holds for ports that containers publish.'] : []),
		...(helpers.length === 0 ? [] : [`Helpers: ${helpers.join(', ')}.`]),
	].join(' ');
}

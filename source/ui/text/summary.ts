import {type Existing, existingFlags} from '../../existing/cleanup-plan.ts';
import {quoteIfNeeded} from '../../lib/shell-quote.ts';
import {describeEvery} from '../../persistence/watch/choice.ts';
import {shortOpening} from '../../policy/opening.ts';
import {type Policy, policyFlags} from '../../policy/policy.ts';
import {nmapCommands} from '../../proof/nmap/commands.ts';
import type {ExitReason} from '../state/exit-reason.ts';

export type Summary = {
	/** The text that the terminal shows after the wizard, in whole lines. */
	readonly text: string;
	/**
	 * 0: confirmed, or only looked at. 4: rolled back. 130: the wizard was left before anything was
	 * loaded.
	 */
	readonly exitCode: 0 | 4 | 130;
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
		const text = 'Nothing was changed. The checklist again: fw-wizard check\n';
		return {text, exitCode: 0};
	}

	if (reason?.ok) {
		return {text: `${[reason.message, ...describeKept(context)].join('\n')}\n`, exitCode: 0};
	}

	return reason?.rolledBack
		? {text: `${reason.message}. ${reason.hint}.\nTo try again: fw-wizard\n`, exitCode: 4}
		: {text: 'Nothing was changed.\n', exitCode: 130};
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
					'That was a rehearsal: the machine itself is as it was, and nothing is kept.',
					`To do it there, as root: ${['fw-wizard', ...flags].join(' ')}`,
				]
			: [
					`Kept in /etc/fw-wizard${boot === undefined ? '; nothing loads it at boot' : `, and loaded at boot by ${boot}`}.`,
					...(watchedEvery === undefined
						? []
						: [
								`Watched after a boot, and every ${describeEvery(watchedEvery)}: fw-wizard watch on|off|status`,
							]),
					'To undo it: fw-wizard undo',
					'What to do next:',
					`  from another machine, its TCP ports: ${nmapCommands(address).fast}`,
					'  here, with its result: fw-wizard prove --nmap scan.xml',
					'  after the next boot: fw-wizard check',
				]),
	];
}

function describePolicy({openings, verdict, helpers, log}: Policy): string {
	return [
		`Let in: ${openings.length === 0 ? 'nothing' : openings.map(shortOpening).join(', ')}.`,
		`The rest: ${verdict}${log ? ', logged' : ''}.`,
		...(helpers.length === 0 ? [] : [`Helpers: ${helpers.join(', ')}.`]),
	].join(' ');
}

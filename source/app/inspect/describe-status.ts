import {commandLine} from '../../lib/command-line.ts';
import {describeEvery} from '../../persistence/watch/choice.ts';
import type {Status} from './status.ts';

/** Whether the next boot loads the rules, in one sentence without a full stop. */
export function describeBoot({by, ready, fault}: Status['boot']): string {
	return by === null
		? 'Next boot: unknown, how this machine boots could not be detected'
		: fault !== null
			? `Next boot: the rules are not loaded, ${fault}`
			: ready
				? `Next boot: ${by} loads the rules`
				: 'Next boot: you see to it yourself (--boot none)';
}

/** Whether the loaded rules are looked at, and when they were last. What is wrong follows in lines of its own. */
export function describeWatch({on, repair, every, looked, open}: Status['watch']): string {
	return on
		? `Watch: every ${describeEvery(every)}${repair ? ', with repair' : ''}${looked === null ? '' : `, last ${printTime(looked)}`}${open.length === 0 ? ', nothing wrong' : ':'}`
		: 'Watch: off';
}

/** When the last check was, and what it found. */
export function describeLastCheck(lastCheck: Status['lastCheck']): string {
	return lastCheck === null
		? `Last check: none. To check with packets: ${commandLine('check')}`
		: `Last check: ${printTime(lastCheck.time)}, ${lastCheck.well ? 'nothing wrong' : `${lastCheck.failed.length} failed: ${lastCheck.failed.join('; ')}`}`;
}

/** `2026-11-29 20:00 UTC` */
export function printTime(iso: string): string {
	return `${iso.slice(0, 16).replace('T', ' ')} UTC`;
}

import type {AppliedStatus} from '../../app/applied-status.ts';
import {
	describeBoot,
	describeLastCheck,
	describeWatch,
	printTime,
} from '../../app/inspect/describe-status.ts';
import {joinSome, joinWords} from '../../lib/list.ts';
import {printPorts} from '../../lib/port-ranges.ts';
import {shortOpening} from '../../policy/opening.ts';
import type {Outcome} from '../state/state.ts';
import type {Tone} from '../theme.ts';
import {secondsText} from './texts.ts';
import {type Line, wrapLines} from './wrap.ts';

/** Lines of differences, and ports of a kind, that are named. */
const MOST = 6;

/** What Home says of the firewall that is active here: what is wrong first, then what holds. */
export function homeLines(status: AppliedStatus, width: number): readonly Line[] {
	const {applied, policy, boot, watch, lastCheck, published} = status;
	const say = (tone: Tone, text: string) => wrapLines(text, width, tone);
	const left = published
		.filter(({open}) => open === null)
		.map(
			({protocol, port, last, by}) =>
				`${printPorts({first: port, last}, '-')}/${protocol} (published by ${by})`,
		);
	return [
		...wrongLines(status).flatMap(({text, tone}) => say(tone, text)),
		...(status.active !== true
			? []
			: say(
					'good',
					`Active since ${printTime(applied.time)} (change ${applied.id}, by ${applied.who})`,
				)),
		...say('plain', `Open: ${openText(status)}`),
		...(left.length === 0
			? []
			: say('attention', `Open, and not controlled by this policy: ${some(left)}`)),
		...(status.beside.length === 0
			? []
			: say('attention', `Beside the policy, when it was applied: ${some(status.beside)}`)),
		...(status.ports.blocked.length === 0
			? []
			: say('plain', `Closed, although a program listens: ${blockedText(status)}`)),
		...say('muted', `Other ports: blocked (${policy.verdict})`),
		...say(boot.fault === null ? 'plain' : 'danger', describeBoot(boot)),
		...say(lastCheck?.well === false ? 'attention' : 'plain', describeLastCheck(lastCheck)),
		...say(watch.open.length > 0 ? 'danger' : 'muted', describeWatch(watch)),
		...watch.open.slice(0, MOST).flatMap((line) => say('danger', `  ${line}`)),
	];
}

/** What an undo would do, and why it was not done. @param outcome of the one that was tried */
export function undoLines(
	{applied, pending}: AppliedStatus,
	outcome: Outcome | undefined,
	width: number,
): readonly Line[] {
	const what =
		pending !== null
			? `Undo change ${pending.id}, which waits to be confirmed?`
			: `Undo change ${applied.id}, made ${printTime(applied.time)} by ${applied.who}?`;
	return [
		...(outcome?.ok === false
			? wrapLines(`${outcome.message}. ${outcome.hint}.`, width, 'danger')
			: []),
		...wrapLines(what, width, 'strong'),
		...wrapLines(
			'The rules, the boot files and the policy from before that change are restored at once. Where there were none, this machine has no firewall then. It is refused where the earlier rules would block the port through which you are connected.',
			width,
			'plain',
		),
	];
}

/** What needs the user, the most urgent first. */
function wrongLines({active, differences, pending, unread}: AppliedStatus): readonly Line[] {
	const [difference, ...more] = differences;
	const found =
		difference === undefined
			? ''
			: `: ${difference}${more.length === 0 ? '' : `; ${more.length} more`}`;
	const text =
		active === false
			? `Not active: the rules of the applied policy are not all loaded${found}`
			: `The loaded rules do not match the policy${found}`;
	return [
		...(active === false || difference !== undefined ? [{text, tone: 'danger' as const}] : []),
		...(pending === null
			? []
			: [
					{
						text: `Change ${pending.id} waits to be confirmed: ${secondsText(pending.secondsLeft)} s left.`,
						tone: 'attention' as const,
					},
				]),
		...unread.map((text) => ({text, tone: 'muted' as const})),
	];
}

/** `22/tcp (sshd), 80/tcp (nginx)` */
function openText({ports}: AppliedStatus): string {
	return ports.open.length === 0
		? 'nothing'
		: some(
				ports.open.map(({opening, programs}) =>
					programs.length === 0
						? shortOpening(opening)
						: `${shortOpening(opening)} (${joinWords(programs)})`,
				),
				12,
			);
}

function blockedText({ports}: AppliedStatus): string {
	return some(
		ports.blocked.map(
			({port, protocol, program}) =>
				`${port}/${protocol}${program === undefined ? '' : ` (${program})`}`,
		),
	);
}

function some(texts: readonly string[], most = MOST): string {
	return joinSome([...new Set(texts)], most);
}

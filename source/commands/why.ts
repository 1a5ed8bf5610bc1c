import {explainPorts, type PortAnswer, type PortQuestion} from '../app/inspect/why.ts';
import {servicesHere} from '../host/machine/host-facts.ts';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {groupBy} from '../lib/group-by.ts';
import {printJson} from '../lib/json.ts';
import {joinWords} from '../lib/list.ts';
import {canonicalAddress} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {quote} from '../lib/shell-quote.ts';
import {INTERFACE_PATTERN} from '../policy/interface-pattern.ts';
import {parsePorts} from '../policy/parse-ports.ts';
import type {Output} from './run-action.ts';

type WhyFlags = {readonly on?: string; readonly prove?: boolean; readonly json?: boolean};

const usage = () =>
	`Write: ${commandLine('why 22/tcp')}, or: ${commandLine('why 198.51.100.7 443')}`;

/**
 * `fw-wizard why [SOURCE] PORT`: whether a port is open to an address, and by which rule.
 * @returns what to print, and 0 where it is known, 1 where a packet showed otherwise, 3 where it is unknown
 * @throws {InputError} @throws {HostError}
 */
export async function why(
	words: readonly string[],
	{on, prove = false, json = false}: WhyFlags,
): Promise<Output> {
	const question = readQuestion(words);
	if (on !== undefined && !INTERFACE_PATTERN.test(on)) {
		throw new InputError(`"${printable(on)}" is not the name of an interface`, 'See: ip address');
	}

	const {answers, applied} = await explainPorts({...question, on, prove});
	const isWrong = answers.some(
		({fate, proven}) =>
			proven !== undefined && ![fate, 'unknown'].includes(proven.fate) && fate !== 'unknown',
	);
	const isUnknown = answers.every(
		({fate, proven}) => fate === 'unknown' && (proven?.fate ?? 'unknown') === 'unknown',
	);
	const told = answers.map((answer) => ({...answer, advice: adviceFor(answer, question, applied)}));
	return {
		code: isWrong ? 1 : isUnknown ? 3 : 0,
		text: json
			? printJson({answers: told})
			: `${groupBy(told, likeness)
					.map((group) => linesOf(group, question).join('\n'))
					.join('\n\n')}\n`,
	};
}

/** @throws {InputError} */
function readQuestion(words: readonly string[]): Pick<PortQuestion, 'ports' | 'source'> {
	const [first = '', second, ...more] = words;
	if (more.length > 0) {
		throw new InputError('There is a word too many', usage());
	}

	const source = second === undefined ? undefined : canonicalAddress(first);
	const ports = parsePorts(second ?? first, servicesHere());
	if (ports.some((port) => port.first !== port.last)) {
		throw new InputError('Name one port, not a range', usage());
	}

	return {ports: ports.map((port) => ({protocol: port.protocol, port: port.first})), source};
}

type Question = Pick<PortQuestion, 'source'>;

type Told = PortAnswer & {readonly advice: string | undefined};

/** What the answers for both families have in common where they are printed as one. */
function likeness(answer: Told): string {
	const {fate, outcome, rule, programs, advice, proven} = answer;
	const {owner, table, reason} = rule ?? {};
	return JSON.stringify([
		portOf(answer),
		fate,
		outcome,
		owner,
		table,
		reason,
		programs,
		advice,
		proven,
	]);
}

function linesOf(group: readonly Told[], {source}: Question): readonly string[] {
	const [answer] = group;
	if (answer === undefined) {
		return [];
	}

	const {packet, fate, outcome, rule, proven, advice} = answer;
	const families = group.map((one) => `IPv${one.packet.family}`);
	const from = source ?? `any address (${joinWords(families)})`;
	const said = outcome.replace(/^unknown: /, '');
	return [
		`${portOf(answer)} from ${from} on ${printable(packet.inInterface)}: ${WORDS[fate]}${fate === 'unknown' ? `, ${said}` : ` (${said})`}`,
		...group.flatMap(({rules}, index) =>
			rules.map((line) => `  ${group.length > 1 ? `${families[index]}: ` : ''}${line}`),
		),
		...(rule === undefined
			? []
			: [
					`  Whose rule: ${rule.owner ?? (isPolicy(answer) ? 'the policy of a built-in chain' : 'no known program')}, table ${rule.table}${rule.reason === undefined ? '' : `. ${rule.reason.text}`}`,
				]),
		`  ${describeListeners(answer)}`,
		...(advice === undefined ? [] : [`  ${advice}`]),
		...(proven === undefined
			? []
			: [
					proven.fate === 'unknown'
						? `  Not tried with a packet: ${proven.outcome.replace(/^unknown: /, '')}`
						: `  A packet in a copy of this machine was ${proven.outcome}${proven.fate === fate || fate === 'unknown' ? '' : ': not what the rules say, please report it'}`,
				]),
	];
}

const WORDS: Readonly<Record<PortAnswer['fate'], string>> = {
	accepted: 'open',
	forwarded: 'open',
	rejected: 'blocked',
	dropped: 'blocked',
	unknown: 'unknown',
};

function portOf({packet}: PortAnswer): string {
	return `${packet.destinationPort}/${packet.protocol}`;
}

function isPolicy({rule}: PortAnswer): boolean {
	return rule !== undefined && /^(?::|policy )/.test(rule.text);
}

function describeListeners(answer: PortAnswer): string {
	const {programs, loopbackOnly, fate} = answer;
	return fate === 'forwarded'
		? 'Packets go to a container, a guest or another machine.'
		: programs.length === 0
			? `Nothing listens on ${portOf(answer)}.`
			: `${joinWords(programs)} ${programs.length === 1 ? 'listens' : 'listen'}${loopbackOnly ? ', but for this machine alone' : ''}.`;
}

/** What to type to change it, in a sentence without its full stop. */
function adviceFor(answer: PortAnswer, {source}: Question, applied: boolean): string | undefined {
	const {rule, fate, packet} = answer;
	const port = portOf(answer);
	const isOpen = fate === 'accepted' || fate === 'forwarded';
	if (fate === 'unknown' || rule === undefined || packet.inInterface === 'lo') {
		return undefined;
	}

	if (rule.owner === 'fw-wizard') {
		switch (rule.reason?.part) {
			case 'blocked':
				return `The policy blocks this source, whatever is open. To change that: ${commandLine()}`;
			case 'opening':
			case 'inside':
			case undefined:
			case 'verdict':
				return isOpen ? `To close it: ${commandLine(`close ${port}`)}` : openCommand(port, source);
			default:
				return undefined;
		}
	}

	if (rule.unban !== undefined && !isOpen) {
		return `To lift the ban: ${rule.unban} ${packet.source}`;
	}

	if (!applied) {
		return isOpen ? `No policy is applied. To choose one: ${commandLine()}` : undefined;
	}

	return rule.owner === undefined
		? isPolicy(answer)
			? undefined
			: 'fw-wizard does not change this rule: it is of another program'
		: `fw-wizard does not change this rule: change it with ${rule.owner}`;
}

function openCommand(port: string, source: string | undefined): string {
	const forAll = commandLine(`open ${port}`);
	return source === undefined
		? `To open it: ${forAll}`
		: `To open it: ${commandLine(`open ${quote(`${port} from ${source}`)}`)}, or for everybody: ${forAll}`;
}

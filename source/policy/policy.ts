import * as z from 'zod/mini';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {type Network, parseNetwork, printNetwork} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {HELPER_NAMES, type HelperName} from './helpers.ts';
import {INTERFACE_PATTERN} from './interface-pattern.ts';
import {mergeOpenings} from './merge-openings.ts';
import {isDiscovery, type Opening, printOpening} from './opening.ts';
import {parseOpening} from './parse-opening.ts';
import {PUBLISHED, type PublishedChoice} from './published.ts';
import type {Services} from './services.ts';
import {
	GROUP_NAME,
	isNamed,
	makeGroup,
	mergeGroups,
	parseGroupFile,
	printGroupFlag,
	type SourceGroup,
	withGroups,
} from './sources.ts';

export const ROLES = ['workstation', 'server'] as const;
/** What happens to packets to ports that are not open. `reset` answers TCP as a closed port does. */
export const VERDICTS = ['reject', 'reset', 'drop'] as const;

export type Role = (typeof ROLES)[number];
export type Verdict = (typeof VERDICTS)[number];

/** What the user wants. Every view of the firewall is derived from this one value. */
export type Policy = {
	readonly role: Role;
	readonly verdict: Verdict;
	readonly helpers: readonly HelperName[];
	readonly openings: readonly Opening[];
	/** The named groups that openings can be for, each of theirs among them. Absent: none. */
	readonly sources?: readonly SourceGroup[];
	/** Addresses and networks that reach nothing, whatever is open. Absent: none. */
	readonly blocked?: readonly Network[];
	/** Whether blocked packets are logged, rate limited, with the prefix "fw-wizard: ". */
	readonly log: boolean;
	/** Whether the openings govern ports that containers publish as well. Absent: these are left as they are. */
	readonly published?: 'policy';
	/** The interfaces with containers and guests behind them, where they are not `INNER_INTERFACES`. */
	readonly inner?: readonly string[];
};

/** Some fields of a policy, as flags on the command line give them. */
export type PolicyPart = {
	readonly [Key in Exclude<keyof Policy, 'published'>]?: Policy[Key] | undefined;
} & {readonly published?: PublishedChoice | undefined};

const SSH: Opening = {kind: 'port', protocol: 'tcp', first: 22, last: 22, limit: false};

/** The recommended policy for a role: a server has SSH open, a workstation nothing. */
export function defaultPolicy(role: Role): Policy {
	return {
		role,
		verdict: 'reject',
		helpers: [],
		openings: role === 'server' ? [SSH] : [],
		log: false,
	};
}

/**
 * Completes a policy. Fields that are not given are those of `base`, else as recommended for the role. Groups of
 * sources are added to those of `base`; every opening gets the networks that its groups have now.
 */
export function completePolicy(part: PolicyPart, base?: Policy): Policy {
	const start = base ?? defaultPolicy(part.role ?? 'workstation');
	const blocked = withoutRepetition(part.blocked ?? start.blocked ?? []);
	const openings = part.openings ?? start.openings;
	const sources = mergeGroups(openings.flatMap(groupsOf), start.sources, part.sources);
	return {
		role: part.role ?? start.role,
		verdict: part.verdict ?? start.verdict,
		helpers: HELPER_NAMES.filter((name) => (part.helpers ?? start.helpers).includes(name)),
		openings: mergeOpenings(openings.map((opening) => withNetworks(opening, sources))),
		...(sources.length === 0 ? {} : {sources}),
		...(blocked.length === 0 ? {} : {blocked}),
		log: part.log ?? start.log,
		...governed(part, start),
	};
}

function groupsOf(opening: Opening): readonly SourceGroup[] {
	return isDiscovery(opening) ? [] : (opening.from?.filter(isNamed) ?? []);
}

function withNetworks(opening: Opening, groups: readonly SourceGroup[]): Opening {
	return isDiscovery(opening) || opening.from === undefined
		? opening
		: {...opening, from: withGroups(opening.from, groups)};
}

/** The groups that no opening is for. */
export function unusedGroups({sources = [], openings}: Policy): readonly SourceGroup[] {
	const used = new Set(openings.flatMap(groupsOf).map(({name}) => name));
	return sources.filter(({name}) => !used.has(name));
}

function governed(part: PolicyPart, start: Policy): Pick<Policy, 'published' | 'inner'> {
	const inner = part.inner ?? start.inner;
	return (part.published ?? start.published) === 'policy'
		? {published: 'policy', ...(inner === undefined ? {} : {inner})}
		: {};
}

function withoutRepetition(networks: readonly Network[]): readonly Network[] {
	return [...new Map(networks.map((network) => [network.cidr, network])).values()];
}

/** The schema of a policy file. It is made when a file is read, since that takes time and most commands read none. */
export const policyForm = () =>
	z.strictObject({
		version: z.literal(1),
		role: z.enum(ROLES),
		// A field that is left out is as recommended for the role.
		verdict: z.optional(z.enum(VERDICTS)),
		helpers: z.optional(z.array(z.enum(HELPER_NAMES))),
		openings: z.optional(z.array(z.string())),
		sources: z.optional(
			z.record(
				z.string().check(z.regex(GROUP_NAME)),
				z.union([
					z.array(z.string()),
					z.strictObject({
						file: z.string().check(z.regex(/^\//)),
						// What was read from the file when the policy was made.
						networks: z.optional(z.array(z.string())),
					}),
				]),
			),
		),
		blocked: z.optional(z.array(z.string())),
		log: z.optional(z.boolean()),
		published: z.optional(z.enum(PUBLISHED)),
		inner: z.optional(z.array(z.string().check(z.regex(INTERFACE_PATTERN)))),
	});

/**
 * Reads a policy file: JSON as `printPolicy` writes it.
 * @param readFile reads the files of groups. Without it, their networks are those that the policy has stored.
 * @throws {InputError} that names the first wrong field
 */
export function parsePolicy(
	text: string,
	services: Services,
	readFile?: (file: string) => string,
): Policy {
	const result = policyForm().safeParse(parseJson(text));
	if (!result.success) {
		throw new InputError(describeIssue(result.error.issues[0]), formHint());
	}

	const {version: _, openings, sources, blocked, ...rest} = result.data;
	const groups = Object.entries(sources ?? {}).map(([name, group]): SourceGroup => {
		const [file, stored] = Array.isArray(group) ? [undefined, group] : [group.file, group.networks];
		return file === undefined || readFile === undefined
			? makeGroup(name, (stored ?? []).map(parseNetwork), file)
			: makeGroup(name, parseGroupFile(readFile(file), file), file);
	});
	return completePolicy({
		...rest,
		blocked: blocked?.map(parseNetwork),
		sources: groups,
		openings: openings?.flatMap((opening) => parseOpening(opening, services, groups)),
	});
}

/** The policy as JSON, indented by tabs. Openings are in their canonical text. */
export function printPolicy(policy: Policy): string {
	return `${JSON.stringify(policyToJson(policy), undefined, '\t')}\n`;
}

/** The policy as the JSON value of a policy file. */
export function policyToJson(policy: Policy): z.input<ReturnType<typeof policyForm>> {
	return {
		version: 1,
		role: policy.role,
		verdict: policy.verdict,
		helpers: [...policy.helpers],
		openings: policy.openings.map(printOpening),
		...(policy.sources === undefined
			? {}
			: {sources: Object.fromEntries(policy.sources.map(groupToJson))}),
		...(policy.blocked === undefined ? {} : {blocked: policy.blocked.map(printNetwork)}),
		log: policy.log,
		...(policy.published === undefined ? {} : {published: policy.published}),
		...(policy.inner === undefined ? {} : {inner: [...policy.inner]}),
	};
}

function groupToJson({name, networks, file}: SourceGroup) {
	const list = networks.map(printNetwork);
	return [name, file === undefined ? list : {file, networks: list}] as const;
}

/** The flags that give this policy on the command line. */
export function policyFlags(policy: Policy): readonly string[] {
	return [
		'--role',
		policy.role,
		'--verdict',
		policy.verdict,
		...policy.helpers.flatMap((helper) => ['--helper', helper]),
		...(policy.openings.length === 0
			? ['--no-open']
			: policy.openings.flatMap((opening) => ['--open', printOpening(opening)])),
		...(policy.sources ?? []).flatMap((group) => ['--source', printGroupFlag(group)]),
		...(policy.blocked ?? []).flatMap((network) => ['--block', printNetwork(network)]),
		...(policy.log ? ['--log'] : []),
		...(policy.published === undefined ? [] : ['--published', policy.published]),
	];
}

/** Where the form of a policy file can be seen. */
function formHint(): string {
	return `The form is the "policy" in: ${commandLine('rules --role server --format json')}`;
}

function parseJson(text: string): unknown {
	try {
		// Editors of Windows put a byte order mark first, which RFC 8259 lets a reader ignore.
		return JSON.parse(text.replace(/^\uFEFF/, ''));
	} catch (error) {
		throw new InputError(
			`The policy is not JSON: ${printable((error as Error).message)}`,
			formHint(),
		);
	}
}

const TYPES: Readonly<Record<string, string>> = {array: 'a list', object: 'an object of fields'};

function describeIssue(issue: z.core.$ZodIssue | undefined): string {
	const where = issue?.path.length ? `"${printable(issue.path.join('.'))}"` : 'The policy';
	switch (issue?.code) {
		case 'unrecognized_keys':
			return `The policy has an unknown field: ${printable(issue.keys.join(', '))}`;
		case 'invalid_value':
			return `${where} must be one of: ${issue.values.map(String).join(', ')}`;
		case 'invalid_type':
			return `${where} must be ${TYPES[issue.expected] ?? `a ${issue.expected}`}`;
		case 'invalid_key':
			return `${where} is no name of a group of sources: letters (a to z), digits and dashes, at most 13`;
		case 'invalid_format':
			return issue.path.at(-1) === 'file'
				? `${where} must be a path that begins with /`
				: `${where} is not valid`;
		case 'invalid_union':
			return `${where} must be a list of networks, or {"file": "/a/path"}`;
		default:
			return `${where} is not valid`;
	}
}

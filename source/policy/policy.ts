import * as z from 'zod/mini';
import {InputError} from '../lib/errors.ts';
import {type Network, parseNetwork, printNetwork} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {HELPER_NAMES, type HelperName} from './helpers.ts';
import {mergeOpenings} from './merge-openings.ts';
import {type Opening, printOpening} from './opening.ts';
import {parseOpening} from './parse-opening.ts';
import type {Services} from './services.ts';

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
	/** Addresses and networks that reach nothing, whatever is open. Absent: none. */
	readonly blocked?: readonly Network[];
	/** Whether blocked packets are logged, rate limited, with the prefix "fw-wizard: ". */
	readonly log: boolean;
};

/** Some fields of a policy, as flags on the command line give them. */
export type PolicyPart = {readonly [Key in keyof Policy]?: Policy[Key] | undefined};

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

/** Completes a policy. Fields that are not given are those of `base`, else as recommended for the role. */
export function completePolicy(part: PolicyPart, base?: Policy): Policy {
	const start = base ?? defaultPolicy(part.role ?? 'workstation');
	const blocked = withoutRepetition(part.blocked ?? start.blocked ?? []);
	return {
		role: part.role ?? start.role,
		verdict: part.verdict ?? start.verdict,
		helpers: HELPER_NAMES.filter((name) => (part.helpers ?? start.helpers).includes(name)),
		openings: mergeOpenings(part.openings ?? start.openings),
		...(blocked.length === 0 ? {} : {blocked}),
		log: part.log ?? start.log,
	};
}

function withoutRepetition(networks: readonly Network[]): readonly Network[] {
	return [...new Map(networks.map((network) => [network.cidr, network])).values()];
}

/** The schema of a policy file. It is made when a file is read, since that takes time and most commands read none. */
const fileForm = () =>
	z.strictObject({
		version: z.literal(1),
		role: z.enum(ROLES),
		// A field that is left out is as recommended for the role.
		verdict: z.optional(z.enum(VERDICTS)),
		helpers: z.optional(z.array(z.enum(HELPER_NAMES))),
		openings: z.optional(z.array(z.string())),
		blocked: z.optional(z.array(z.string())),
		log: z.optional(z.boolean()),
	});

const FORM_HINT = 'The form is the "policy" in: fw-wizard rules --role server --format json';

/**
 * Reads a policy file: JSON as `printPolicy` writes it.
 * @throws {InputError} that names the first wrong field
 */
export function parsePolicy(text: string, services: Services): Policy {
	const result = fileForm().safeParse(parseJson(text));
	if (!result.success) {
		throw new InputError(describeIssue(result.error.issues[0]), FORM_HINT);
	}

	const {version: _, openings, blocked, ...rest} = result.data;
	return completePolicy({
		...rest,
		blocked: blocked?.map(parseNetwork),
		openings: openings?.flatMap((opening) => parseOpening(opening, services)),
	});
}

/** The policy as JSON, indented by tabs. Openings are in their canonical text. */
export function printPolicy(policy: Policy): string {
	return `${JSON.stringify(policyToJson(policy), undefined, '\t')}\n`;
}

/** The policy as the JSON value of a policy file. */
export function policyToJson(policy: Policy): z.input<ReturnType<typeof fileForm>> {
	return {
		version: 1,
		role: policy.role,
		verdict: policy.verdict,
		helpers: [...policy.helpers],
		openings: policy.openings.map(printOpening),
		...(policy.blocked === undefined ? {} : {blocked: policy.blocked.map(printNetwork)}),
		log: policy.log,
	};
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
		...(policy.blocked ?? []).flatMap((network) => ['--block', printNetwork(network)]),
		...(policy.log ? ['--log'] : []),
	];
}

function parseJson(text: string): unknown {
	try {
		// Editors of Windows put a byte order mark first, which RFC 8259 lets a reader ignore.
		return JSON.parse(text.replace(/^\uFEFF/, ''));
	} catch (error) {
		throw new InputError(
			`The policy is not JSON: ${printable((error as Error).message)}`,
			FORM_HINT,
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
		default:
			return `${where} is not valid`;
	}
}

import * as z from 'zod/mini';
import {commandLine} from '../lib/command-line.ts';
import {InputError} from '../lib/errors.ts';
import {parseNetwork} from '../lib/network.ts';
import {printable} from '../lib/printable.ts';
import {HELPER_NAMES} from './helpers.ts';
import {INTERFACE_PATTERN} from './interface-pattern.ts';
import {parseOpening} from './parse-opening.ts';
import {completePolicy, type Policy, ROLES, VERDICTS} from './policy.ts';
import {PUBLISHED} from './published.ts';
import type {Services} from './services.ts';
import {GROUP_NAME, makeGroup, parseGroupFile, type SourceGroup} from './sources.ts';

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

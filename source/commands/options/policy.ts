import process from 'node:process';
import {type Command, Option} from 'commander';
import {readAppliedPolicy} from '../../change/applied.ts';
import {readAtMost} from '../../host/files/atomic-write.ts';
import {readGroupFile} from '../../host/files/group-file.ts';
import {describeError, InputError} from '../../lib/errors.ts';
import {parseNetwork} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {isOver, withoutEnded} from '../../policy/ending.ts';
import {HELPER_NAMES, type HelperName} from '../../policy/helpers.ts';
import {type Opening, printOpening} from '../../policy/opening.ts';
import {parseOpenings} from '../../policy/parse-opening.ts';
import {parsePolicy} from '../../policy/parse-policy.ts';
import {
	completePolicy,
	type Policy,
	type PolicyPart,
	ROLES,
	type Role,
	VERDICTS,
	type Verdict,
} from '../../policy/policy.ts';
import {PUBLISHED, type PublishedChoice} from '../../policy/published.ts';
import type {Services} from '../../policy/services.ts';
import {mergeGroups, type SourceGroup} from '../../policy/sources.ts';
import {readAgain, readSources, sourceOption} from './sources.ts';
import {repeatable, wordOption} from './words.ts';

/** A policy file is smaller: a larger one is not read whole. */
const POLICY_BYTES = 1e6;

/** The policy flags as commander gives them. */
export type PolicyFlags = {
	readonly policy?: string;
	readonly role?: Role;
	readonly verdict?: Verdict;
	readonly helper?: readonly HelperName[] | false;
	readonly open?: readonly string[] | false;
	readonly source?: readonly string[];
	readonly block?: readonly string[] | false;
	readonly log?: boolean;
	readonly published?: PublishedChoice;
};

/** Adds the flags that make a policy. */
export function withPolicyOptions(command: Command): Command {
	return command
		.option('--policy <file>', 'read the policy from a JSON file; flags take precedence')
		.addOption(wordOption('--role <role>', 'the role of the machine', ROLES))
		.addOption(wordOption('--verdict <verdict>', 'what happens to blocked packets', VERDICTS))
		.addOption(
			repeatable(wordOption('--helper <name>', 'conntrack helper, repeatable', HELPER_NAMES)),
		)
		.option('--no-helper', 'no conntrack helper')
		.addOption(
			repeatable(
				new Option(
					'--open <opening>',
					'open a port, repeatable: 22/tcp, 53, ssh, "22/tcp from 10.0.0.0/8, fd00::/8"',
				),
			),
		)
		.option('--no-open', 'open no port')
		.addOption(sourceOption())
		.addOption(
			repeatable(
				new Option(
					'--block <address>',
					'block an address or a network, also on open ports; repeatable',
				),
			),
		)
		.option('--no-block', 'block no address')
		.option('--log', 'log blocked packets')
		.option('--no-log', 'do not log')
		.addOption(
			wordOption(
				'--published <choice>',
				'who decides on ports that containers publish: this policy, or only their program',
				PUBLISHED,
			),
		);
}

/**
 * The part of a policy that the flags and the policy file give; a flag replaces what the file says.
 * @param known groups of sources that openings can be for, beside those of the flags; a policy file has its own
 * @param said the groups of the flags
 * @throws {InputError}
 */
export function readPolicyPart(
	flags: PolicyFlags,
	services: Services,
	known?: readonly SourceGroup[],
	said = readSources(flags.source),
): PolicyPart {
	const file: PolicyPart =
		flags.policy === undefined
			? {sources: known}
			: leaveOutEnded(readPolicyFile(flags.policy, services));
	const sources = mergeGroups(file.sources, said);
	const part: PolicyPart = {
		role: flags.role,
		verdict: flags.verdict,
		helpers: flags.helper || undefined,
		openings: (flags.open || undefined)
			?.flatMap((text) => parseOpenings(text, services, sources))
			.map(assertNotEnded),
		sources: sources.length === 0 ? undefined : sources,
		blocked: (flags.block || undefined)?.map(parseNetwork),
		log: flags.log,
		published: flags.published,
		...(flags.helper === false ? {helpers: []} : {}),
		...(flags.open === false ? {openings: []} : {}),
		...(flags.block === false ? {blocked: []} : {}),
	};
	return {
		...file,
		...Object.fromEntries(Object.entries(part).filter(([, value]) => value !== undefined)),
	};
}

/** The same policy without openings that have ended, each of which is named in a warning. */
function leaveOutEnded(policy: Policy): Policy {
	const openings = withoutEnded(policy.openings);
	process.stderr.write(
		policy.openings
			.filter((opening) => !openings.includes(opening))
			.map((one) => `${printable(printOpening(one), 200)} has ended: it is left out.\n`)
			.join(''),
	);
	return {...policy, openings};
}

/** Whether any flag gives a part of a policy. */
export function hasPolicyFlags({
	policy,
	role,
	verdict,
	helper,
	open,
	source,
	block,
	log,
	published,
}: PolicyFlags): boolean {
	return [policy, role, verdict, helper, open, source, block, log, published].some(
		(value) => value !== undefined,
	);
}

/**
 * The policy that flags and file give, completed with what is recommended for its role. Where neither names a
 * role, it is the policy that was applied last, with what the flags say in its place, and the files of its groups
 * read again.
 * @param start replaces what is recommended, but not what flags and file say
 * @throws {InputError} also where nothing names a role, and no policy was applied
 */
export function readPolicy(flags: PolicyFlags, services: Services, start?: PolicyPart): Policy {
	const {role, policy: file} = flags;
	const isWhole = role !== undefined || file !== undefined || start !== undefined;
	const applied = isWhole ? undefined : readAppliedPolicy(services);
	const said = readSources(flags.source);
	const names = new Set(said.map(({name}) => name));
	const known = readAgain((applied?.sources ?? []).filter(({name}) => !names.has(name)));
	const part = {...start, ...readPolicyPart(flags, services, known, said)};
	if (part.role === undefined && applied === undefined) {
		throw new InputError(
			'No policy was given',
			'Say at least --role workstation or --role server, or --policy FILE',
		);
	}

	return completePolicy(part, applied && leaveOutEnded(applied));
}

/**
 * The policy of flags and file, or else the one that was applied last.
 * @throws {InputError} where both are missing
 */
export function choosePolicy(flags: PolicyFlags, services: Services): Policy {
	const applied = appliedPolicyUnlessFlags(flags, services);
	if (applied === undefined && !hasPolicyFlags(flags)) {
		throw new InputError(
			'No policy was applied yet, and none was given',
			'Say at least --role workstation or --role server, or --policy FILE',
		);
	}

	return applied ?? readPolicy(flags, services);
}

/** The policy that was applied last, where no flag gives a part of a policy. */
export function appliedPolicyUnlessFlags(
	flags: PolicyFlags,
	services: Services,
): Policy | undefined {
	return hasPolicyFlags(flags) ? undefined : readAppliedPolicy(services);
}

/** @throws {InputError} where it has ended */
function assertNotEnded(opening: Opening): Opening {
	if (isOver(opening)) {
		throw new InputError(
			`${printable(printOpening(opening), 200)} has ended`,
			'Name a later end, or leave it out',
		);
	}

	return opening;
}

function readPolicyFile(file: string, services: Services): Policy {
	let text: string;
	try {
		text = readAtMost(file, POLICY_BYTES);
	} catch (error) {
		throw new InputError(
			`The policy file cannot be read: ${describeError(error, file)}`,
			'Give the path of a JSON file that you may read',
		);
	}

	return parsePolicy(text, services, readGroupFile);
}

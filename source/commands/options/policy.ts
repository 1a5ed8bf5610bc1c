import {type Command, Option} from 'commander';
import {readAppliedPolicy} from '../../change/applied.ts';
import {readAtMost} from '../../host/files/atomic-write.ts';
import {InputError} from '../../lib/errors.ts';
import {parseNetwork} from '../../lib/network.ts';
import {printable} from '../../lib/printable.ts';
import {HELPER_NAMES, type HelperName} from '../../policy/helpers.ts';
import {parseOpenings} from '../../policy/parse-opening.ts';
import {
	completePolicy,
	type Policy,
	type PolicyPart,
	parsePolicy,
	ROLES,
	type Role,
	VERDICTS,
	type Verdict,
} from '../../policy/policy.ts';
import type {Services} from '../../policy/services.ts';
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
	readonly block?: readonly string[] | false;
	readonly log?: boolean;
};

/** Adds the flags that make a policy. */
export function withPolicyOptions(command: Command): Command {
	return command
		.option('--policy <file>', 'read the policy from a JSON file; flags replace what it says')
		.addOption(wordOption('--role <role>', 'what the machine is', ROLES))
		.addOption(wordOption('--verdict <verdict>', 'what happens to the rest', VERDICTS))
		.addOption(
			repeatable(wordOption('--helper <name>', 'conntrack helper, repeatable', HELPER_NAMES)),
		)
		.option('--no-helper', 'no conntrack helper')
		.addOption(
			repeatable(
				new Option(
					'--open <opening>',
					'let in, repeatable: 22/tcp, 53, ssh, "22/tcp from 10.0.0.0/8, fd00::/8"',
				),
			),
		)
		.option('--no-open', 'let nothing in')
		.addOption(
			repeatable(
				new Option(
					'--block <address>',
					'let nothing in from an address or a network, whatever is open; repeatable',
				),
			),
		)
		.option('--no-block', 'block no address by itself')
		.option('--log', 'log what is turned away')
		.option('--no-log', 'do not log');
}

/**
 * The part of a policy that the flags and the policy file give; a flag replaces what the file says.
 * @throws {InputError}
 */
export function readPolicyPart(flags: PolicyFlags, services: Services): PolicyPart {
	const file = flags.policy === undefined ? {} : readPolicyFile(flags.policy, services);
	const said: PolicyPart = {
		role: flags.role,
		verdict: flags.verdict,
		helpers: flags.helper || undefined,
		openings: (flags.open || undefined)?.flatMap((text) => parseOpenings(text, services)),
		blocked: (flags.block || undefined)?.map(parseNetwork),
		log: flags.log,
		...(flags.helper === false ? {helpers: []} : {}),
		...(flags.open === false ? {openings: []} : {}),
		...(flags.block === false ? {blocked: []} : {}),
	};
	return {
		...file,
		...Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined)),
	};
}

/** Whether any flag gives a part of a policy. */
export function hasPolicyFlags({
	policy,
	role,
	verdict,
	helper,
	open,
	block,
	log,
}: PolicyFlags): boolean {
	return [policy, role, verdict, helper, open, block, log].some((value) => value !== undefined);
}

/**
 * The policy that flags and file give, completed with what is recommended for its role.
 * @param start replaces what is recommended, but not what flags and file say
 * @throws {InputError} also where nothing names a role
 */
export function readPolicy(flags: PolicyFlags, services: Services, start: PolicyPart = {}): Policy {
	const part = {...start, ...readPolicyPart(flags, services)};
	if (part.role === undefined) {
		throw new InputError(
			'No policy was given',
			'Say at least --role workstation or --role server, or --policy FILE',
		);
	}

	return completePolicy(part);
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

function readPolicyFile(file: string, services: Services): Policy {
	let text: string;
	try {
		text = readAtMost(file, POLICY_BYTES);
	} catch (error) {
		throw new InputError(
			`The policy file cannot be read: ${printable((error as Error).message, 160)}`,
			'Give the path of a JSON file that you may read',
		);
	}

	return parsePolicy(text, services);
}

import {readdirSync, statSync} from 'node:fs';
import path from 'node:path';
import * as z from 'zod/mini';
import {readAtMost} from '../../host/files/atomic-write.ts';
import {describeError, InputError} from '../../lib/errors.ts';
import {printable} from '../../lib/printable.ts';

/**
 * A host, by what its own `status`, `check` or `report` printed with --json. Safe to print. Null: nothing is said of
 * it.
 */
export type FleetRow = {
	readonly host: string;
	/** What is wrong, a line each; none where all is well. */
	readonly problems: readonly string[];
	/** False where the JSON of the host could not be read, or is that of a failure. */
	readonly known: boolean;
	readonly active: boolean | null;
	/** What the policy opens. */
	readonly open: readonly string[] | null;
	/** Whether the next boot loads the rules; null also where the user sees to it. */
	readonly boot: boolean | null;
	/** When `check` was last run there, ISO 8601. */
	readonly checked: string | null;
};

/** What one document says of a host. */
type Finding = Omit<FleetRow, 'host'>;

/** `status --json` of a machine with a long policy has some 100 kB. */
const MOST_BYTES = 8_000_000;

/** Characters of a problem or an opening that are shown. */
const LONGEST = 1000;

const byName = new Intl.Collator('en', {numeric: true});

const NOTHING: Finding = {
	...{problems: [], known: true, active: null, open: null, boot: null, checked: null},
};

/**
 * Reads the files of a fleet: each has the JSON of one host and is named after it, `web1.json`, or `web1.status.json`
 * and `web1.check.json`; or that of several, as `--host A --host B status --json` prints it.
 * @param names files, and folders whose files *.json are read
 * @returns a row for each host: those with a problem first, then by name
 * @throws {InputError} where there is no such file, or none at all
 */
export function readFleet(names: readonly string[]): readonly FleetRow[] {
	const hosts = new Map<string, Finding>();
	for (const file of names.flatMap(listFiles)) {
		for (const [host, finding] of readHosts(file)) {
			const before = hosts.get(host);
			hosts.set(host, before === undefined ? finding : merge(before, finding));
		}
	}

	if (hosts.size === 0) {
		throw new InputError(
			'The folder has no files *.json',
			'Put the output of status --json or check --json of each host there, as HOST.json',
		);
	}

	const rows = [...hosts].map(([host, {problems, open, ...rest}]) => ({
		...rest,
		host: printable(host, 255),
		problems: problems.map((text) => printable(text, LONGEST)),
		open: open?.map((text) => printable(text, LONGEST)) ?? null,
	}));
	const rank = ({problems}: FleetRow) => (problems.length > 0 ? 0 : 1);
	return rows.sort((a, b) => rank(a) - rank(b) || byName.compare(a.host, b.host));
}

/** @throws {InputError} */
function listFiles(name: string): readonly string[] {
	try {
		return statSync(name).isDirectory()
			? readdirSync(name)
					.filter((file) => file.endsWith('.json'))
					.sort()
					.map((file) => path.join(name, file))
			: [name];
	} catch (error) {
		throw new InputError(
			describeError(error, name),
			'Name files with the output of status --json or check --json of each host, or their folder',
		);
	}
}

/** The hosts of which a file tells. Where it cannot be read, that is what is known of its host. */
function readHosts(file: string): ReadonlyArray<readonly [host: string, finding: Finding]> {
	const named = path.basename(file).replace(/(?:\.(?:status|check|report))?(?:\.json)?$/, '');
	try {
		const value: unknown = JSON.parse(readAtMost(file, MOST_BYTES));
		const list = Array.isArray(value) ? value : (Object(value).hosts ?? value);
		return Array.isArray(list)
			? list.map((one) => [`${Object(one).host ?? named}`, readHost(one)])
			: [[named, readHost(value)]];
	} catch (error) {
		const cause = error instanceof SyntaxError ? 'it is not JSON' : describeError(error, file);
		return [[named, unknown(`${path.basename(file)}: ${cause}`)]];
	}
}

function unknown(problem: string): Finding {
	return {...NOTHING, known: false, problems: [problem]};
}

const texts = z.array(z.string());
/** Of each output what is read, and no more: a fleet may have several versions of fw-wizard. */
const status = z.object({
	...{active: z.nullable(z.boolean()), differences: texts, policy: z.nullable(z.looseObject({}))},
	...{open: z.array(z.object({opening: z.string()})), watch: z.object({open: texts})},
	boot: z.object({ready: z.boolean(), fault: z.nullable(z.string())}),
	lastCheck: z.nullable(z.object({time: z.iso.datetime(), failed: texts})),
});
const check = z.object({
	well: z.boolean(),
	items: z.array(z.object({title: z.string(), state: z.string(), cause: z.optional(z.string())})),
});
/** `status --json` of an exported script, which Ansible's role writes as well (export/shell-status.ts). */
const exported = z.object({
	...{version: z.literal(1), well: z.boolean(), ipv4: z.boolean(), ipv6: z.boolean()},
	...{next_boot: z.nullable(z.boolean()), drift: texts, foreign: texts},
});
/** Of a command, or of such a script. */
const failure = z.object({error: z.object({message: z.string()})});

/** What a document says, and the values in it: `report` has status and checklist in one, a row of several hosts has more. */
function readHost(value: unknown): Finding {
	const found = [value, ...Object.values(Object(value))].flatMap(readPart);
	const [first, ...more] = found;
	return first === undefined
		? unknown('Its JSON is not of fw-wizard status, check or report')
		: more.reduce(merge, first);
}

function readPart(value: unknown): readonly Finding[] {
	const [isStatus, isCheck, isExported, isFailure] = [
		z.safeParse(status, value),
		z.safeParse(check, value),
		z.safeParse(exported, value),
		z.safeParse(failure, value),
	];
	return [
		...(isStatus.success ? [fromStatus(isStatus.data)] : []),
		...(isCheck.success ? [fromCheck(isCheck.data)] : []),
		...(isExported.success ? [fromExported(isExported.data)] : []),
		...(isFailure.success ? [unknown(isFailure.data.error.message)] : []),
	];
}

function fromStatus(found: z.infer<typeof status>): Finding {
	const {active, policy, differences, watch, boot, lastCheck, open} = found;
	return {
		...{known: true, active, checked: lastCheck?.time ?? null},
		open: policy === null ? null : open.map(({opening}) => opening),
		boot: boot.fault === null ? boot.ready || null : false,
		problems: [
			...(active === null ? ['status could not read the rules: it did not run as root'] : []),
			...(active === false
				? [policy === null ? 'inactive' : 'inactive, although a policy is applied']
				: []),
			...(active && policy === null ? ['active, although no policy is applied'] : []),
			...differences,
			...(boot.fault === null || policy === null ? [] : [`Next boot: ${boot.fault}`]),
			...watch.open,
			...(lastCheck?.failed ?? []).map((title) => `Failed at the last check: ${title}`),
		],
	};
}

function fromCheck({items}: z.infer<typeof check>): Finding {
	return {
		...NOTHING,
		problems: items
			.filter(({state}) => state === 'failed')
			.map(({title, cause}) => `Failed: ${title}${cause === undefined ? '' : `: ${cause}`}`),
	};
}

function fromExported(found: z.infer<typeof exported>): Finding {
	const {ipv4, ipv6, next_boot: boot, drift, foreign} = found;
	return {...NOTHING, active: ipv4 && ipv6, boot, problems: [...drift, ...foreign]};
}

/** What two documents say of one host. */
function merge(a: Finding, b: Finding): Finding {
	return {
		known: a.known && b.known,
		problems: [...new Set([...a.problems, ...b.problems])],
		active: a.active ?? b.active,
		open: a.open ?? b.open,
		boot: a.boot ?? b.boot,
		checked: a.checked ?? b.checked,
	};
}

import * as z from 'zod/mini';
import type {SchemaName} from '../options/words.ts';
import {facts, proof, prove} from './machine.ts';
import {
	builtRules,
	count,
	decidingRule,
	families,
	family,
	fate,
	flag,
	packet,
	packetAnswers,
	policy,
	port,
	protocol,
	ranges,
	text,
	texts,
	time,
} from './parts.ts';

const reason = () => z.object({part: text(), text: text()});
const reach = () => z.enum(['open', 'shut', 'unknown']);

const status = () =>
	z.object({
		active: z.nullable(flag()),
		matches: z.nullable(flag()),
		differences: texts(),
		earlier: z.array(z.object({family: family(), by: z.optional(text()), count: count()})),
		beside: texts(),
		policy: z.nullable(policy()),
		open: z.array(z.object({opening: text(), programs: texts()})),
		blocked: z.array(z.object({protocol: protocol(), port: port(), program: z.optional(text())})),
		published: z.array(
			z.object({
				...{protocol: protocol(), address: text(), port: port(), last: port(), to: text()},
				...{by: text(), families: families(), decidedBy: z.enum(['policy', 'program'])},
				open: z.nullable(flag()),
			}),
		),
		applied: z.nullable(z.object({id: count(), time: time(), who: text()})),
		pending: z.nullable(z.object({id: count(), secondsLeft: count()})),
		lastCheck: z.nullable(z.object({time: time(), well: flag(), failed: texts()})),
		watch: z.object({
			...{on: flag(), repair: flag(), every: count(), open: texts()},
			looked: z.nullable(time()),
		}),
		boot: z.object({by: z.nullable(text()), ready: flag(), fault: z.nullable(text())}),
		unread: texts(),
	});

const why = () =>
	z.object({
		answers: z.array(
			z.object({
				...{packet: packet(), fate: fate(), outcome: text(), rules: texts()},
				rule: z.optional(
					z.extend(decidingRule(), {
						owner: z.optional(text()),
						unban: z.optional(text()),
						reason: z.optional(reason()),
					}),
				),
				...{programs: texts(), loopbackOnly: flag(), advice: z.optional(text())},
				proven: z.optional(z.object({fate: fate(), outcome: text()})),
			}),
		),
	});

const portChanges = () =>
	z.array(z.object({protocol: protocol(), ports: ranges(), families: families(), from: text()}));

const diff = () =>
	z.object({
		...{from: text(), to: text()},
		...{opens: portChanges(), closes: portChanges(), unknown: portChanges()},
		...{settings: texts(), rules: texts(), notes: texts()},
	});

const log = () =>
	z.object({
		...{logging: z.nullable(flag()), since: time(), lines: z.nullable(count())},
		counted: z.object({
			packets: count(),
			rules: z.array(
				z.object({
					...{family: family(), packets: count()},
					...{part: z.optional(text()), reason: z.optional(text())},
				}),
			),
		}),
		unreadable: count(),
		ports: z.array(
			z.object({
				...{protocol: text(), port: z.optional(port()), lines: count(), sources: count()},
				...{forwarded: flag(), programs: texts(), last: time()},
			}),
		),
		sources: z.array(
			z.object({address: text(), lines: count(), ports: count(), scan: flag(), last: time()}),
		),
	});

/** A line of `log --follow`. */
const blockedPacket = () =>
	z.object({
		...{time: time(), family: family(), inInterface: text(), source: text(), destination: text()},
		...{protocol: text(), port: z.optional(port()), forwarded: flag(), programs: texts()},
	});

const items = () =>
	z.array(
		z.object({
			...{id: text(), title: text(), state: z.enum(['ok', 'failed', 'open'])},
			...{cause: z.optional(text()), fix: z.optional(text()), mendable: z.optional(flag())},
		}),
	);

const check = () => z.object({well: flag(), items: items()});

const watch = () =>
	z.object({
		...{on: flag(), repair: flag(), every: count(), open: texts(), repairs: count()},
		...{since: z.optional(text()), repaired: z.optional(text()), looked: z.optional(time())},
		...{notify: z.optional(text()), textfile: z.optional(text())},
	});

/** A row of ports, and one of a protocol without ports, but for how far they can be reached. */
const exposedPorts = () => ({
	...{protocol: protocol(), ports: ranges(), families: families(), from: text()},
	through: z.enum(['INPUT', 'a container', 'loopback']),
	...{listens: flag(), process: z.optional(text()), to: z.optional(text())},
	...{by: z.optional(text()), container: z.optional(text())},
});
const exposedProtocol = () => ({
	...{name: text(), families: families(), from: text(), by: z.optional(text())},
});

const exposure = () => {
	const change = {before: reach(), after: z.optional(reach())};
	return z.union([
		z.object({
			policy: z.optional(policy()),
			rows: z.array(z.object({...exposedPorts(), ...change})),
			protocols: z.optional(z.array(z.object({...exposedProtocol(), ...change}))),
			...{tried: flag(), unread: texts()},
		}),
		z.object({now: packetAnswers()}),
		z.object({after: packetAnswers()}),
	]);
};

const ownReport = () => {
	const both = {without: reach(), now: reach()};
	return z.object({
		...{time: time(), host: text(), well: flag(), version: text(), kernel: text()},
		...{iptables: z.nullable(text()), policy: policy(), rules: builtRules(), status: status()},
		exposure: z.object({
			rows: z.array(z.object({...exposedPorts(), ...both})),
			protocols: z.array(z.object({...exposedProtocol(), ...both})),
			...{tried: flag(), unread: texts()},
		}),
		items: items(),
		proof: z.nullable(z.object({time: time(), ...proof()})),
		file: z.optional(text()),
	});
};

/** `report --fleet`, whose hosts are read by `status` and `check`. */
const fleet = () =>
	z.object({
		...{time: time(), well: flag()},
		hosts: z.array(
			z.object({
				...{host: text(), known: flag(), problems: texts()},
				...{active: z.nullable(flag()), open: z.nullable(texts()), boot: z.nullable(flag())},
				checked: z.nullable(text()),
			}),
		),
		file: z.optional(text()),
	});

const report = () => z.union([ownReport(), fleet()]);

const edited = () => {
	const rules = z.array(z.object({families: families(), chain: text(), rule: text()}));
	return {
		...{applied: flag(), change: z.optional(count())},
		rules: z.optional(z.object({added: rules, removed: rules})),
		proof: z.optional(
			z.nullable(z.object({packets: count(), seconds: z.number(), leftOut: texts()})),
		),
	};
};

const rules = () => z.object({policy: policy(), rules: builtRules()});

const apply = () =>
	z.object({
		...{applied: z.literal(true), change: count(), gone: texts(), boot: z.nullable(text())},
		...{beside: z.optional(texts()), policy: policy(), rules: builtRules()},
	});

const undo = () =>
	z.union([
		z.object({
			changes: z.array(
				z.object({
					...{id: count(), time: time(), who: text(), summary: text()},
					state: z.optional(text()),
				}),
			),
		}),
		z.object({undone: z.array(count())}),
		z.object({undone: z.literal('all'), cleaned: texts(), left: texts()}),
	]);

/** Of status, check or prove with several --host: the output of each server is that of the command. */
const hosts = () =>
	z.object({
		...{command: z.enum(['status', 'check', 'prove']), well: flag()},
		hosts: z.array(
			z.object({
				...{host: text(), result: z.enum(['well', 'differs', 'failed', 'unreachable'])},
				...{code: z.nullable(count()), output: z.union([status(), check(), prove(), z.null()])},
				error: z.nullable(z.object({message: text(), advice: text()})),
			}),
		),
	});

/** The schema of what each command prints with `--json`, of a failure, and of a policy file. */
export const SCHEMAS: Readonly<Record<SchemaName, () => z.core.$ZodType>> = {
	...{policy, status, why, diff, log, check, watch, exposure, facts, prove, report, rules, apply},
	undo,
	hosts,
	'log-follow': blockedPacket,
	error: () => z.object({error: z.object({message: text(), advice: text(), code: text()})}),
	open: () => z.object({...edited(), opened: texts(), narrowed: z.optional(texts())}),
	close: () => z.object({...edited(), closed: texts()}),
	confirm: () => z.object({confirmed: z.literal(true), change: count()}),
	export: () =>
		z.union([
			z.object({format: text(), policy: policy(), text: text()}),
			z.object({format: z.literal('ansible'), policy: policy(), folder: text(), files: texts()}),
		]),
};

import * as z from 'zod/mini';
import {
	count,
	families,
	family,
	flag,
	policy,
	port,
	protocol,
	ranges,
	text,
	texts,
} from './parts.ts';

const portsOf = () => z.object({tcp: ranges(), udp: ranges()});
const unknownOr = <T extends z.core.$ZodType>(known: T) => z.union([known, z.literal('unknown')]);

const interfaces = () =>
	z.array(z.object({name: text(), addresses: z.array(z.object({cidr: text(), scope: text()}))}));

const session = () =>
	z.union([
		z.object({kind: z.enum(['console', 'unknown'])}),
		z.object({
			...{kind: z.literal('remote'), client: z.optional(text()), inInterface: z.optional(text())},
			connection: z.union([
				z.enum(['mosh', 'ended', 'several']),
				z.object({
					...{state: text(), localAddress: text(), localPort: port(), remoteAddress: text()},
					...{remotePort: port(), uid: count(), inode: text()},
				}),
			]),
			dialled: z.optional(text()),
			doors: z.array(
				z.object({
					...{protocol: protocol(), first: port(), last: port()},
					...{tunnel: z.optional(text()), peer: z.optional(text())},
				}),
			),
		}),
	]);

const listener = () =>
	z.object({
		...{protocol: protocol(), address: text(), families: families(), port: port()},
		...{ipv4Unknown: z.optional(flag()), on: z.optional(text())},
		...{reach: z.enum(['outside', 'loopback']), process: z.optional(text())},
		...{pid: z.optional(count()), user: z.optional(text()), unit: z.optional(text())},
		...{unitOf: z.optional(text()), socketUnit: z.optional(text()), bySocket: z.optional(flag())},
		...{container: z.optional(text()), kernel: z.optional(flag())},
	});

const protocolUse = () =>
	z.object({
		protocol: z.object({
			...{name: text(), number: count(), families: families(), purpose: text()},
			groups: z.optional(z.object({4: z.optional(texts()), 6: z.optional(texts())})),
		}),
		...{families: families(), port: z.optional(port()), peer: z.optional(text()), by: text()},
		...{how: text(), pid: z.optional(count()), unit: z.optional(text())},
	});

const published = () =>
	z.object({
		...{families: families(), protocol: protocol(), address: text(), port: port()},
		...{last: z.optional(port()), from: z.optional(text()), on: z.optional(text())},
		...{to: text(), by: text(), container: z.optional(text()), image: z.optional(text())},
	});

const neighbour = () =>
	z.object({
		...{name: text(), kind: z.enum(['manager', 'service', 'rules']), does: text(), means: text()},
		...{owns: flag(), needsFilter: flag()},
	});

export const facts = () =>
	z.object({
		...{version: text(), kernel: text(), distribution: text(), init: text()},
		iptables: z.union([
			z.object({version: text(), backend: z.enum(['nft', 'legacy'])}),
			z.enum(['absent', 'unknown']),
		]),
		...{nft: text(), ipv6: text(), root: flag(), netAdmin: unknownOr(flag())},
		elevation: z.enum(['sudo', 'su', 'absent']),
		namespaces: z.enum(['allowed', 'forbidden', 'unknown']),
		...{session: session(), interfaces: interfaces()},
		listeners: unknownOr(z.array(listener())),
		protocols: unknownOr(z.array(protocolUse())),
		published: unknownOr(z.array(published())),
		neighbours: unknownOr(z.array(neighbour())),
		recommended: unknownOr(z.object({role: z.enum(['server', 'workstation']), reason: text()})),
		missing: texts(),
	});

const view = () =>
	z.object({
		vantage: z.object({
			...{name: text(), family: family(), inInterface: text(), source: text()},
			destination: z.optional(text()),
		}),
		...{passed: portsOf(), forwarded: portsOf(), expected: portsOf()},
		published: z.array(
			z.object({protocol: protocol(), first: port(), last: port(), to: text(), open: flag()}),
		),
		protocols: z.optional(texts()),
		differences: z.array(
			z.object({
				...{protocol: protocol(), ports: ranges(), cause: text()},
				fact: z.enum(['passes', 'is closed', 'is forwarded']),
			}),
		),
	});

/** A proof, with the rules that it is of. */
export const proof = () => ({
	...{subject: z.enum(['planned', 'running', 'boot']), proven: flag(), views: z.array(view())},
	checks: z.array(
		z.object({
			...{name: text(), result: z.enum(['ok', 'failed', 'untried']), detail: text()},
			wayIn: z.optional(flag()),
		}),
	),
	...{untried: texts(), leftOut: texts(), probes: count(), seconds: z.number()},
	sampled: z.optional(z.object({networks: count(), addresses: count(), probes: count()})),
});

export const prove = () =>
	z.union([
		z.object({policy: policy(), ...proof()}),
		// Of a scan by nmap.
		z.object({
			...{proven: flag(), addresses: texts(), ports: count()},
			...{differences: texts(), unjudged: texts()},
		}),
	]);

import type {Host} from '../lab/namespaces.ts';

type Scan = {
	/** Ports of each state that nmap lists one by one. */
	readonly ports: Readonly<Record<string, readonly number[]>>;
	/** How many more ports have a state, where nmap gives only their number. */
	readonly rest: Readonly<Record<string, number>>;
};

/** What nmap sees from one machine at an address. */
export async function scan(
	from: Host,
	address: string,
	args: readonly string[],
	inProtocol: 'tcp' | 'udp',
): Promise<Scan> {
	const family = address.includes(':') ? ['-6'] : [];
	const pace = ['-T5', '--min-rate', '30000', '--max-retries', '2'];
	const xml = await from.must('nmap', [
		...['-n', '-Pn', '-oX', '-', ...pace, ...family, ...args],
		address,
	]);
	const ports: Record<string, number[]> = {};
	for (const [, protocol, port, state = ''] of xml.matchAll(
		/<port protocol="(\w+)" portid="(\d+)"><state state="([^"]+)"/g,
	)) {
		if (protocol === inProtocol) {
			ports[state] = [...(ports[state] ?? []), Number(port)];
		}
	}

	const extra = [...xml.matchAll(/<extraports state="([^"]+)" count="(\d+)"/g)];
	return {
		ports,
		rest: Object.fromEntries(extra.map(([, state, count]) => [state, Number(count)])),
	};
}

import {existsSync} from 'node:fs';
import os from 'node:os';
import {HELPERS, type Helper, type HelperName, helperOf} from '../../policy/helpers.ts';
import {run} from '../exec/run.ts';
import {readText} from '../files/read-text.ts';
import {programOf} from '../netfilter/iptables.ts';
import {isRoot} from './host-facts.ts';

/** Whether this kernel has a helper; `unknown` where nothing may be tried. */
export type Availability = 'yes' | 'no' | 'unknown';

/** Finds out for every helper of the table whether this kernel has it. Loads no module. */
export async function findHelpers(): Promise<ReadonlyMap<HelperName, Availability>> {
	const listed = listModules();
	return new Map(
		await Promise.all(
			HELPERS.map(
				async (helper) =>
					[helper.name, listed.has(helper.module) ? 'yes' : await tryHelper(helper)] as const,
			),
		),
	);
}

/**
 * Loads the modules of helpers that are not there yet, as `modprobe` would. A helper built into the
 * kernel needs none: no error.
 */
export async function loadModules(helpers: readonly HelperName[]): Promise<void> {
	const modules = helpers
		.map((name) => helperOf(name).module)
		.filter((module) => !existsSync(`/sys/module/${module}`));
	await Promise.all(modules.map(async (module) => run('modprobe', ['-q', module])));
}

/** The modules that lie ready for this kernel. Which ones are built in, the kernel does not always say. */
function listModules(): ReadonlySet<string> {
	const text = readText(`/lib/modules/${os.release()}/modules.dep`) ?? '';
	return new Set(
		text
			.split('\n')
			.map((line) => /([^/]+)\.ko[.a-z]*:/.exec(line)?.[1]?.replaceAll('-', '_') ?? ''),
	);
}

/**
 * Loads the helper's CT rule in a fresh namespace: the only test that also sees what is built in.
 * Done only where no module lies ready, since it would load it.
 */
async function tryHelper({ports, module}: Helper): Promise<Availability> {
	const [port] = ports;
	if (!port || module === '') {
		return 'unknown';
	}

	const rule = `*raw\n-A OUTPUT -p ${port.protocol} --dport ${port.port} -j CT --helper ${port.helper}\nCOMMIT\n`;
	const {status, stderr} = await run(
		'unshare',
		[...freshNetwork(), programOf(4, '-restore'), '-w', '10', '--noflush'],
		{input: rule},
	);
	return status === 0 ? 'yes' : /unshare|denied|permitted/i.test(stderr) ? 'unknown' : 'no';
}

/** The arguments with which unshare(1) gives us a network namespace of our own. */
export function freshNetwork(): readonly string[] {
	return isRoot() ? ['--net', '--'] : ['--user', '--map-root-user', '--net', '--'];
}

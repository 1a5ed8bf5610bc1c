import {readText} from '../../host/files/read-text.ts';
import type {CommandLine, Starter} from './model.ts';
import {type Unit, valuesOf} from './unit-files.ts';

const KEYS = ['ExecStartPre', 'ExecStart', 'ExecStartPost'];

/** What a unit of systemd runs when it starts. */
export function commandsOfUnit(unit: Unit): Starter {
	const variables = variablesOf(unit);
	const [, kind = '', instance = ''] = /^([^@]+)@(.*)\.service$/.exec(unit.name) ?? [];
	return {
		by: unit.name,
		service: unit.name,
		commands:
			kind === 'wg-quick'
				? ofWireguard(instance)
				: [
						...KEYS.flatMap((key) =>
							valuesOf(unit, 'Service', key).map(({file, line, value}) => ({
								...{file, line},
								// Prefixes say how it is run; "$$" is a dollar sign (systemd.service(5)).
								text: withVariables(value.replace(/^[-@:+!|]+/, ''), variables).replaceAll(
									'$$',
									'$',
								),
							})),
						),
						...(kind.startsWith('openvpn') ? ofOpenvpn(kind, instance) : []),
					],
	};
}

/** What `Environment=` sets (systemd.exec(5)). */
function variablesOf(unit: Unit): ReadonlyMap<string, string> {
	const words = valuesOf(unit, 'Service', 'Environment').flatMap(({value}) =>
		[...value.matchAll(/"(\w+)=([^"]*)"|'(\w+)=([^']*)'|(\w+)=(\S*)/g)].map((match) =>
			match.slice(1).filter((part) => part !== undefined),
		),
	);
	return new Map(words.map(([name = '', value = '']) => [name, value]));
}

function withVariables(text: string, variables: ReadonlyMap<string, string>): string {
	return text.replaceAll(
		/(?<!\$)\$(?:\{(\w+)\}|(\w+))/g,
		(whole, braced, plain) => variables.get(braced ?? plain) ?? whole,
	);
}

/** The commands of a tunnel of wg-quick(8). */
function ofWireguard(name: string): readonly CommandLine[] {
	const file = `/etc/wireguard/${name}.conf`;
	return matches(file, /^\s*(?:PreUp|PostUp)\s*=\s*(.*)$/i).map((line) => ({
		...line,
		text: line.text.replaceAll('%i', name),
	}));
}

const OPENVPN_FOLDERS: Readonly<Record<string, string>> = {
	openvpn: '/etc/openvpn',
	'openvpn-server': '/etc/openvpn/server',
	'openvpn-client': '/etc/openvpn/client',
};

/** The scripts that openvpn(8) runs when its tunnel comes up. */
function ofOpenvpn(kind: string, name: string): readonly CommandLine[] {
	return matches(
		`${OPENVPN_FOLDERS[kind] ?? '/etc/openvpn'}/${name}.conf`,
		/^\s*(?:up|route-up|ipchange)\s+(?:"(.*)"|(.*))$/,
	);
}

/** The first group of each line that has this form, with its place. */
function matches(file: string, form: RegExp): readonly CommandLine[] {
	return (readText(file) ?? '').split('\n').flatMap((whole, index) => {
		const text = form.exec(whole)?.slice(1).find(Boolean);
		return text === undefined ? [] : [{file, line: index + 1, text}];
	});
}

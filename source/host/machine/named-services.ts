import {parseProfiles, parseServiceXml} from '../../policy/service-files.ts';
import {parseServices, type ServicePort, withOwnServices} from '../../policy/services.ts';
import {listFolder, readText} from '../files/read-text.ts';

const PROFILES = '/etc/ufw/applications.d';
/** What stands in /etc replaces what firewalld ships. */
const SERVICES = ['/etc/firewalld/services', '/usr/lib/firewalld/services'];
/** A service may include others, and these may include it again. */
const DEEPEST = 10;

/**
 * The services that have a name on this machine: those of /etc/services and, for what it lacks, ours;
 * then the application profiles of ufw and the services of firewalld. These are read when a name is
 * asked for that the others lack, since there are hundreds of files.
 */
export class NamedServices extends Map<string, readonly ServicePort[]> {
	#profiles: ReadonlyMap<string, readonly ServicePort[]> | undefined;

	constructor() {
		super(withOwnServices(parseServices(readText('/etc/services') ?? '')));
	}

	override get(name: string): readonly ServicePort[] | undefined {
		return super.get(name) ?? this.#profile(name) ?? readService(name, 0);
	}

	override has(name: string): boolean {
		return this.get(name) !== undefined;
	}

	#profile(name: string): readonly ServicePort[] | undefined {
		this.#profiles ??= new Map(
			listFolder(PROFILES).flatMap((file) => [
				...parseProfiles(readText(`${PROFILES}/${file}`) ?? ''),
			]),
		);
		return this.#profiles.get(name);
	}
}

/** A service of firewalld; names of files are compared in any case. */
function readService(name: string, depth: number): readonly ServicePort[] | undefined {
	const wanted = `${name.toLowerCase()}.xml`;
	const [file] = SERVICES.flatMap((folder) =>
		listFolder(folder)
			.filter((one) => one.toLowerCase() === wanted)
			.map((one) => `${folder}/${one}`),
	);
	return file === undefined || depth > DEEPEST
		? undefined
		: parseServiceXml(readText(file) ?? '', (included) => readService(included, depth + 1));
}

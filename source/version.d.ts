/** The version in package.json, put in by the build. */
declare const FW_WIZARD_VERSION: string;

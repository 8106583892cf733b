/**
 * The passwords that attackers try first, of those long enough to be allowed otherwise; lower case. Published lists of
 * leaked passwords agree on these; keyboard walks and years are kept to the ones seen often.
 */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
  12345678 123456789 1234567890 12345678910 123456789a 123456789q 1234567891 12345679 123123123 1231231234 12341234
  123454321 1234554321 123456123 123456654321 12344321 12121212 1212121212 123321123 147258369 147852369 159357456
  159753456 987654321 9876543210 87654321 0987654321 0123456789 01234567 11111111 111111111 1111111111 22222222 33333333
  44444444 55555555 5555555555 66666666 77777777 88888888 99999999 999999999 00000000 0000000000 11223344 1122334455
  112233445566 11112222 102030405060 13131313 19841984 20202020 69696969 78945612 789456123 963852741 741852963
  qwertyui qwertyuiop qwerty12 qwerty123 qwerty1234 qwerty12345 qwerty123456 1234qwer 123qweasd 123qweasdzxc 12345qwert
  123456qwerty qwe123qwe qweasdzxc qweqweqwe qwer1234 qwerasdf qwertz123 qwertzui qwertzuiop azertyui azertyuiop azerty123
  1q2w3e4r 1q2w3e4r5t 1q2w3e4r5t6y 1qaz2wsx 1qaz2wsx3edc 1qazxsw2 q1w2e3r4 q1w2e3r4t5 zaq12wsx zaq1zaq1 !qaz2wsx asdfghjk
  asdfghjkl asdf1234 asdfasdf asdfgh123 zxcvbnm1 zxcvbnm123 zxcvbnm, 1a2b3c4d a1b2c3d4 a1s2d3f4 abc12345 abcd1234 abc123456
  abcdefgh abcdefghi abcdefg1 abcabcabc aa123456 aa12345678 a1234567 a12345678 a123456789 q123456789 123456aa 123456ab
  123456abc 1234abcd aaaaaaaa aaaaaaaaaa xxxxxxxx zzzzzzzz qqqqqqqq
  password password! password1 password1! password2 password3 password7 password9 password01 password11 password12
  password123 password123! password1234 password12345 password123456 password2020 password2021 password2022 password2023
  password2024 password2025 password2026 passwords passw0rd p@ssword p@ssw0rd p@ssw0rd1 p@ssw0rd! p@ssw0rd123 p@55w0rd
  pa$$word pa$$w0rd pass1234 pass12345 pass123456 pass@123 pass@1234 passpass passport password.1 mypassword thepassword
  newpassword nopassword changeme1 changeme123 changeme! changeit123 letmein1 letmein123 letmeinnow letmein! trustno1
  default1 default123 testtest test1234 test12345 test123456 testing1 testing123 testpass tester123 temp1234 temppass
  temporary welcome1 welcome12 welcome123 welcome1! welcome2 welcome01 welcome2024 welcome2025 welcome2026 guest123
  guestguest user1234 username useruser adminadmin admin123 admin1234 admin12345 admin123456 admin@123 admin123! adminpass
  administrator administrator1 rootroot root1234 rootpass toor1234 superuser superman supervisor sysadmin operator
  secret123 secret12 topsecret supersecret secretsecret login123 loginlogin access14 access123 master123 mastermaster
  iloveyou iloveyou1 iloveyou2 iloveyou! iloveyou123 iloveme1 ilovegod ilovejesus loveyou1 lovelove lovely123 loveme123
  sunshine sunshine1 princess princess1 football football1 baseball baseball1 basketball softball volleyball hockey123
  soccer123 superman1 superman123 batman123 spiderman spiderman1 ironman1 starwars starwars1 pokemon1 pokemon123 naruto123
  dragon123 dragonball monkey123 monkey12 shadow123 shadow12 michelle michelle1 jennifer jennifer1 jessica1 samantha
  danielle stephanie christian christopher elizabeth alexander alexandra alexandre victoria veronica charlotte charlie1
  charlie123 jonathan patricia benjamin nicholas anthony1 michael1 jordan23 jordan123 daniel123 andrew123 robert123
  thomas123 ashley123 hannah123 william1 matthew1 computer computer1 internet internet1 samsung1 samsung123 microsoft
  google123 facebook facebook1 whatever whatever1 chocolate chocolate1 butterfly butterfly1 strawberry blueberry cherry123
  cheese123 pepper123 ginger123 cookie123 summer123 summer2024 summer2025 summer2026 winter123 winter2024 winter2025
  winter2026 spring2024 spring2025 spring2026 autumn2024 autumn2025 autumn2026 january1 december september november
  liverpool liverpool1 arsenal1 arsenal123 chelsea1 chelsea123 barcelona barcelona1 realmadrid juventus manchester
  mustang1 corvette mercedes ferrari1 porsche911 harley123 yamaha123 diamond1 precious rainbow1 snoopy123 tinkerbell
  midnight midnight1 swordfish scorpion sapphire thunder1 thunderbird tigger123 hello123 hello1234 hellohello helloworld
  helloworld1 goodluck sayang123 freedom1 friends1 forever1 forever21 familia1 family123 blessed1 jesuschrist jesus123
  jesuschrist1 godisgood gangster blink182 metallica metallica1 slipknot nirvana1 eminem123 playboy1 hellokitty hunter12
  hunter123 killer123 cowboys1 lakers24 steelers yankees1 redskins maverick marlboro platinum phoenix1 panther1 buster123
  maggie123 bailey123 purple123 orange123 yellow123 silver123 bubbles1 cupcake1 peanut123 babygirl babygirl1 beautiful
  beautiful1 angel123 angelina sweetheart fuckyou1 fuckyou2 fuckyou123 fuckoff1 asshole1 bullshit motherfucker
  correcthorsebatterystaple
  `
    .split(/\s+/)
    .filter((word) => word !== ''),
)
